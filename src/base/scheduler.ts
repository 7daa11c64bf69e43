import type { Clock, EpochMillis, Millis } from './clock.js';
import { DeadlineQueue } from './deadline-queue.js';

/** Undoes what it came from; calling it again does nothing. */
export type Cancel = () => void;

/**
 * The one place where time makes something happen. `SystemScheduler` owns the process's only real timer;
 * the tests' manual clock implements the same interface.
 */
export interface Scheduler extends Clock {
  /** Runs `task` once `now()` has reached `deadline`. Tasks of one deadline run in the order in which they were set. */
  at(deadline: Millis, task: () => void): Cancel;
  /** Runs `task` in `delayMs` milliseconds. */
  after(delayMs: number, task: () => void): Cancel;
}

/** setTimeout's limit; longer waits are made of several. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** A deadline at least this far away is moved back to the next multiple of `COARSE_MS`. */
const FAR_MS = 4_000;
const COARSE_MS = 128;

export interface SystemSchedulerOptions {
  /** Told of an exception that a task let through; the other tasks run on. */
  readonly onError: (error: unknown) => void;
}

/**
 * Real time: one `setTimeout` for the earliest deadline of all. What is 4 s away or more may run up to 128 ms late: the ends of
 * transactions (RFC 3261 §17, timers D, H, J, K and their like), of which a busy server has thousands a second, then share a few
 * wake-ups.
 */
export class SystemScheduler implements Scheduler {
  readonly #queue = new DeadlineQueue(() => this.#disarm());
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #armedFor: Millis = Number.POSITIVE_INFINITY;

  constructor(options: SystemSchedulerOptions) {
    this.#onError = options.onError;
  }

  now(): Millis {
    return performance.now();
  }

  wallTime(): EpochMillis {
    return Date.now();
  }

  at(deadline: Millis, task: () => void): Cancel {
    return this.#set(deadline, deadline - this.now(), task);
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#set(this.now() + delayMs, delayMs, task);
  }

  /** How many tasks wait. */
  get pending(): number {
    return this.#queue.size;
  }

  #set(deadline: Millis, delayMs: number, task: () => void): Cancel {
    const due = delayMs < FAR_MS ? deadline : Math.ceil(deadline / COARSE_MS) * COARSE_MS;
    const cancel = this.#queue.add(due, task);
    if (due < this.#armedFor) this.#arm();
    return cancel;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#queue.next;
    if (next === undefined) {
      this.#disarm();
      return;
    }
    this.#armedFor = next;
    const delay = Math.min(Math.max(0, Math.ceil(next - this.now())), LONGEST_TIMEOUT_MS);
    this.#timer = setTimeout(() => this.#fire(), delay);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.now();
    try {
      for (let task = this.#queue.take(now); task !== undefined; task = this.#queue.take(now)) this.#run(task);
    } finally {
      // Even if `onError` itself throws: a scheduler that stands still would take every timer of the process with it.
      this.#arm();
    }
  }

  #run(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#onError(error);
    }
  }
}
