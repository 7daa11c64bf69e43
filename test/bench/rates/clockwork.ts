import { DeadlineQueue } from '../../../src/base/deadline-queue.js';
import type { Cancel, Scheduler } from '../../../src/base/scheduler.js';

/** Time that passes when it is told to. */
export class Clockwork implements Scheduler {
  readonly #queue = new DeadlineQueue();
  #now = 0;

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return 1.8e12 + this.#now;
  }

  at(deadline: number, task: () => void): Cancel {
    return this.#queue.add(deadline, task);
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.at(this.#now + delayMs, task);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (let task = this.#queue.take(this.#now); task !== undefined; task = this.#queue.take(this.#now)) task();
  }
}
