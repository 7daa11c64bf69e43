/**
 * What a signal fires with that says no more than that nobody waits any longer. One for all: without a reason AbortController makes a
 * DOMException with a stack each time, which costs as much as reading a SIP message.
 */
export const NOBODY_WAITS: Error = Object.freeze(new Error('nobody waits for it any more'));

/**
 * Resolves as `work` does, or to undefined as soon as `signal` fires, whatever `work` then does: its failure is told to
 * `onLate` and harms nobody.
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  onLate: (error: unknown) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        if (signal.aborted) onLate(error);
        else reject(error);
      },
    );
  });
}
