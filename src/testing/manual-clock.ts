import type { EpochMillis, Millis } from '../base/clock.js';
import { DeadlineQueue } from '../base/deadline-queue.js';
import { UsageError } from '../base/errors.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';

/** 2026-01-01T00:00:00Z: the wall time at which every virtual world begins. */
export const WORLD_EPOCH_MS: EpochMillis = Date.UTC(2026, 0, 1);

export interface ManualClockOptions {
  /** Monotonic start in milliseconds; default 0. */
  readonly startMs?: Millis;
  /** Wall time at the start; default {@link WORLD_EPOCH_MS}. */
  readonly wallTimeMs?: EpochMillis;
}

/** How long {@link ManualClock.runUntil} waits for real I/O when no task is left: turns of Node's event loop. */
const IDLE_TURNS = 20_000;

/**
 * Time by hand: the scheduler of tests. Nothing happens until a test advances it. Tasks run in the order of their
 * deadlines, those of one deadline in the order in which they were set. After each task every promise that the task
 * has settled is followed to its end before the next task runs, so asynchronous code under test settles at a fixed
 * virtual time. A task that throws fails the `advance` that ran it.
 *
 * Code that waits for real I/O (a file, a disk database) is outside virtual time: wrap what it waits for in `hold`.
 */
export class ManualClock implements Scheduler {
  readonly #queue = new DeadlineQueue();
  readonly #held = new Set<Promise<unknown>>();
  #now: Millis;
  #wallOffset: number;
  #advancing = false;

  constructor(options: ManualClockOptions = {}) {
    this.#now = options.startMs ?? 0;
    this.#wallOffset = (options.wallTimeMs ?? WORLD_EPOCH_MS) - this.#now;
  }

  now(): Millis {
    return this.#now;
  }

  wallTime(): EpochMillis {
    return this.#now + this.#wallOffset;
  }

  at(deadline: Millis, task: () => void): Cancel {
    return this.#queue.add(deadline, task);
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#queue.add(this.#now + delayMs, task);
  }

  /** How many tasks wait, over all scopes. */
  get pending(): number {
    return this.#queue.size;
  }

  /** When the next task is due, undefined when none waits. */
  get nextDeadline(): Millis | undefined {
    return this.#queue.next;
  }

  /** A scheduler over this clock that counts its own tasks and can drop them all: one for each simulated program. */
  scope(): ClockScope {
    return new ClockScope(this);
  }

  /** Shifts the wall clock, as an administrator or NTP does; timers must not notice. */
  jumpWallTime(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Time stands still until `promise` settles: for real I/O in the middle of a virtual world. Returns `promise`. */
  hold<T>(promise: Promise<T>): Promise<T> {
    const held = promise.then(
      () => {
        this.#held.delete(held);
      },
      () => {
        this.#held.delete(held);
      },
    );
    this.#held.add(held);
    return promise;
  }

  /** Lets everything settle that can settle at the present virtual time; runs no task. */
  async settle(): Promise<void> {
    do await turn();
    while (this.#held.size > 0);
  }

  /** Advances by `ms` and runs what falls due on the way. @throws UsageError when it is being advanced already */
  async advance(ms: number): Promise<void> {
    this.#enter();
    try {
      const end = this.#now + ms;
      await this.settle();
      for (let next = this.#queue.next; next !== undefined && next <= end; next = this.#queue.next) {
        this.#step(next);
        await this.settle();
      }
      this.#now = Math.max(this.#now, end);
    } finally {
      this.#advancing = false;
    }
  }

  /**
   * Runs tasks until `condition` holds, which is asked before the first task and after each; gives up `limitMs` from
   * now. Resolves to whether the condition came to hold. When no task is left at all, time stays where it is and real
   * I/O gets a moment of real time to bring news.
   * @throws UsageError when it is being advanced already
   */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    this.#enter();
    try {
      const end = this.#now + limitMs;
      await this.settle();
      while (!condition()) {
        const next = this.#queue.next;
        if (next === undefined) {
          if (!(await this.#newsFromIo(condition))) return false;
          continue;
        }
        if (next > end) {
          this.#now = end;
          return false;
        }
        this.#step(next);
        await this.settle();
      }
      return true;
    } finally {
      this.#advancing = false;
    }
  }

  /**
   * As `advance`, but in one turn and without following promises: for tests of code that has none.
   * @throws UsageError when it is being advanced already
   */
  advanceSync(ms: number): void {
    this.#enter();
    try {
      const end = this.#now + ms;
      for (let next = this.#queue.next; next !== undefined && next <= end; next = this.#queue.next) this.#step(next);
      this.#now = Math.max(this.#now, end);
    } finally {
      this.#advancing = false;
    }
  }

  #step(deadline: Millis): void {
    if (deadline > this.#now) this.#now = deadline;
    this.#queue.take(this.#now)?.();
  }

  async #newsFromIo(condition: () => boolean): Promise<boolean> {
    for (let i = 0; i < IDLE_TURNS; i++) {
      await turn();
      if (this.#queue.next !== undefined || condition()) return true;
    }
    return false;
  }

  #enter(): void {
    if (this.#advancing) {
      throw new UsageError(
        'PBX_WRONG_STATE',
        'the clock is already being advanced: await the first advance, run or until before the next',
      );
    }
    this.#advancing = true;
  }
}

/** Node runs all microtasks and next-tick callbacks, those that they add included, before it comes to this. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * The scheduler of one simulated program on a shared {@link ManualClock}: its timers can be counted, and die with it. What
 * promises still run of a program that was killed sets no timer any more.
 */
export class ClockScope implements Scheduler {
  readonly #clock: ManualClock;
  readonly #pending = new Map<object, { readonly deadline: Millis; readonly cancel: Cancel }>();
  #skewMs = 0;
  #ended = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  now(): Millis {
    return this.#clock.now();
  }

  wallTime(): EpochMillis {
    return this.#clock.wallTime() + this.#skewMs;
  }

  at(deadline: Millis, task: () => void): Cancel {
    if (this.#ended) return () => {};
    const key = {};
    const cancel = this.#clock.at(deadline, () => {
      this.#pending.delete(key);
      task();
    });
    this.#pending.set(key, { deadline, cancel });
    return () => {
      this.#pending.delete(key);
      cancel();
    };
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.at(this.now() + delayMs, task);
  }

  /** How many of this scope's tasks wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The deadlines of the waiting tasks, earliest first. */
  get deadlines(): readonly Millis[] {
    return [...this.#pending.values()].map((task) => task.deadline).sort((a, b) => a - b);
  }

  /** Shifts the wall clock of this program's machine only. */
  jumpWallTime(ms: number): void {
    this.#skewMs += ms;
  }

  /** Drops every waiting task, and whatever is set later: the program was killed. */
  end(): void {
    this.#ended = true;
    for (const { cancel } of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}
