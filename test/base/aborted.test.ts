import { describe, expect, test } from 'vitest';
import { untilAborted } from '../../src/base/aborted.js';

const unexpected = (error: unknown): void => {
  throw error;
};

describe('untilAborted', () => {
  test('settles as the work does while nobody aborts', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve(7), signal, unexpected)).toBe(7);
    await expect(untilAborted(Promise.reject(new Error('no')), signal, unexpected)).rejects.toThrow('no');
  });

  test('resolves to undefined as soon as the signal fires, although the work goes on', async () => {
    const abort = new AbortController();
    const result = untilAborted(new Promise(() => {}), abort.signal, unexpected);
    abort.abort();
    expect(await result).toBeUndefined();
  });

  test('a signal that has fired already wins over work that is done', async () => {
    expect(await untilAborted(Promise.resolve(7), AbortSignal.abort(), unexpected)).toBeUndefined();
  });

  test('a late failure is told to onLate alone; a late result to nobody', async () => {
    const abort = new AbortController();
    const late: unknown[] = [];
    let fail: (error: Error) => void = () => {};
    let succeed: (value: number) => void = () => {};
    const failing = untilAborted(new Promise((_, reject) => (fail = reject)), abort.signal, (error) =>
      late.push(error),
    );
    const succeeding = untilAborted(new Promise<number>((resolve) => (succeed = resolve)), abort.signal, (error) =>
      late.push(error),
    );
    abort.abort();
    expect([await failing, await succeeding]).toEqual([undefined, undefined]);
    fail(new Error('too late'));
    succeed(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(late).toEqual([new Error('too late')]);
  });

  test('no listener stays on the signal', async () => {
    const listeners = new Set<unknown>();
    const signal = new AbortController().signal;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = ((type: 'abort', listener: () => void, options: { once?: boolean }) => {
      listeners.add(listener);
      addEventListener.call(signal, type, listener, options);
    }) as typeof signal.addEventListener;
    signal.removeEventListener = ((type: 'abort', listener: () => void) => {
      listeners.delete(listener);
      removeEventListener.call(signal, type, listener);
    }) as typeof signal.removeEventListener;
    await untilAborted(Promise.resolve(1), signal, unexpected);
    await untilAborted(Promise.reject(new Error('x')), signal, unexpected).catch(() => {});
    expect(listeners.size).toBe(0);
  });
});
