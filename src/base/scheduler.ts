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

export interface SystemSchedulerOptions {
  /** Told of an exception that a task let through; the other tasks run on. */
  readonly onError: (error: unknown) => void;
}

/** Real time: one `setTimeout` for the earliest deadline of all. */
export class SystemScheduler implements Scheduler {
  readonly #queue = new DeadlineQueue();
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
    const cancel = this.#queue.add(deadline, task);
    if (deadline < this.#armedFor) this.#arm();
    return () => {
      cancel();
      if (this.#queue.size === 0) this.#disarm();
    };
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.at(this.now() + delayMs, task);
  }

  /** How many tasks wait. */
  get pending(): number {
    return this.#queue.size;
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
