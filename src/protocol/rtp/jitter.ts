import type { Millis } from '../../base/clock.js';
import { timestampDelta } from './sequence.js';

/** So much at once is no jitter: the source has set its clock anew, or was silent and counted on badly. */
const DISCONTINUITY_MS = 2000;

/**
 * The interarrival jitter of one source (RFC 3550 §6.4.1, §A.8), in milliseconds whatever the clock rate.
 * Deviates: of several packets with one timestamp the first alone is measured. RFC 4733 §2.5.2.2 asks for all of them, but then every
 * key press looks like 20 ms of jitter, and a picture in several packets like none.
 */
export class Jitter {
  #clockRate: number;
  #jitterMs = 0;
  #anchored = false;
  /** As a signed number: a small integer, where half of the unsigned ones are objects of their own. */
  #timestamp = 0;
  #atMs: Millis = 0;

  /** @param clockRate of the payload, in Hz; 0: not known, and the jitter stays 0 */
  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get clockRate(): number {
    return this.#clockRate;
  }

  /** Another codec was agreed upon; what was measured stays. */
  set clockRate(rate: number) {
    this.#clockRate = rate;
    this.#anchored = false;
  }

  get milliseconds(): number {
    return this.#jitterMs;
  }

  /** In timestamp units, as a report has it. */
  get units(): number {
    return Math.floor((this.#jitterMs * this.#clockRate) / 1000);
  }

  /** The next packet comes from elsewhere: its time has nothing to do with the last one's. */
  forget(): void {
    this.#anchored = false;
  }

  receive(timestamp: number, atMs: Millis): void {
    if (this.#clockRate === 0) return;
    const units = timestampDelta(this.#timestamp, timestamp);
    if (this.#anchored) {
      if (units === 0) return;
      const change = Math.abs(atMs - this.#atMs - (units * 1000) / this.#clockRate);
      if (change < DISCONTINUITY_MS) this.#jitterMs += (change - this.#jitterMs) / 16;
    }
    this.#anchored = true;
    this.#timestamp = timestamp | 0;
    this.#atMs = atMs;
  }
}
