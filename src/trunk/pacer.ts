import type { Millis } from '../base/clock.js';
import type { Random } from '../base/random.js';

/**
 * Spreads the REGISTERs of many lines: so many a second at most, each at a random moment of its own slot. A start, a carrier that comes
 * back or a change of network then makes no burst, which a carrier would take for an attack.
 */
export class Pacer {
  readonly #slotMs: number;
  readonly #random: Random;
  #nextSlot: Millis = Number.NEGATIVE_INFINITY;

  /** `perSecond`: more than 0. */
  constructor(options: { readonly perSecond: number; readonly random: Random }) {
    this.#slotMs = 1000 / options.perSecond;
    this.#random = options.random;
  }

  /** Takes the next free slot; when to send: never before `now`. */
  reserve(now: Millis): Millis {
    const slot = Math.max(now, this.#nextSlot);
    this.#nextSlot = slot + this.#slotMs;
    return slot + this.#random.integer(Math.max(1, Math.floor(this.#slotMs)));
  }
}
