import type { Clock, EpochMillis, Millis } from '../base/clock.js';

/** A clock that stands still until it is told to go on. Both of its times move together. */
export class SettableClock implements Clock {
  #now: Millis;

  constructor(start: EpochMillis = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): Millis {
    return this.#now;
  }

  wallTime(): EpochMillis {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
