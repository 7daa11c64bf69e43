/** How long a wait lasts when the caller names no deadline, in milliseconds. */
const DEFAULT_WAIT_MS = 10_000;

interface Waiter<T> {
  readonly match: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** What to wait for: `from` is a position taken with `mark()`, so that older items do not count. */
export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly from?: number;
  readonly what?: string;
}

/**
 * Everything that a program has said so far, in order, and a way to wait for what it will say.
 * A wait ends by the item, by its deadline, or at once when the program is gone.
 */
export class Recorded<T> {
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #ended: Error | undefined;

  constructor(readonly name: string) {}

  get items(): readonly T[] {
    return this.#items;
  }

  /** A position: items pushed from now on are at or behind it. */
  mark(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    for (const waiter of this.#waiters) {
      if (!waiter.match(item)) continue;
      this.#waiters.delete(waiter);
      clearTimeout(waiter.timer);
      waiter.resolve(item);
    }
  }

  /** The program is gone: whoever waits, or will wait, hears why. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer);
      waiter.reject(reason);
    }
    this.#waiters.clear();
  }

  /** The first item at or behind `from` that matches, past or future. */
  wait(match: (item: T) => boolean, options: WaitOptions = {}): Promise<T> {
    for (let i = options.from ?? 0; i < this.#items.length; i++) {
      const item = this.#items[i];
      if (item !== undefined && match(item)) return Promise.resolve(item);
    }
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const timeoutMs = options.timeoutMs ?? DEFAULT_WAIT_MS;
    const what = options.what ?? match.toString();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`${this.name}: waited ${timeoutMs} ms in vain for ${what}`));
      }, timeoutMs);
      const waiter: Waiter<T> = { match, resolve, reject, timer };
      this.#waiters.add(waiter);
    });
  }
}

/** How often a state that sends no news is looked at, in milliseconds. */
const LOOK_EVERY_MS = 25;

/** Waits for a state that nobody announces (a socket bound by another program, a file that grows). */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  timeoutMs = DEFAULT_WAIT_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
