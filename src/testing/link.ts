import type { Millis } from '../base/clock.js';
import type { SeededRandom } from './seeded-random.js';

/** How a path treats what crosses it. */
export interface LinkConditions {
  /** Probability (0…1) that a datagram is lost; a TCP segment then comes later, by retransmission. Default 0. */
  readonly loss?: number;
  /** One-way delay in milliseconds, fixed or evenly from a range. Default 1. Varying delay alone never reorders. */
  readonly delayMs?: number | readonly [number, number];
  /** Probability (0…1) that a datagram is held back so that later ones overtake it. Default 0. */
  readonly reorder?: number;
  /** Probability (0…1) that a datagram arrives twice. Default 0. */
  readonly duplicate?: number;
  /** Datagrams of more bytes than this (UDP payload) are lost, as where fragments do not pass. Default: none are. */
  readonly maxDatagramBytes?: number;
}

const DEFAULT_DELAY_MS = 1;

/** A held-back datagram waits at least this long on top of its delay. */
const SHORTEST_HOLD_MS = 10;

/** One direction between two hosts: decides from its own random stream what becomes of each packet. */
export class Link {
  readonly #random: SeededRandom;
  #lastArrival: Millis = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** When the copies of a datagram arrive: none if it is lost, two if it is duplicated. */
  datagram(conditions: LinkConditions, now: Millis, bytes: number): readonly Millis[] {
    const lost = this.#random.chance(conditions.loss ?? 0);
    const arrival = this.#arrival(conditions, now, this.#random.chance(conditions.reorder ?? 0));
    const twice = this.#random.chance(conditions.duplicate ?? 0);
    if (lost || bytes > (conditions.maxDatagramBytes ?? Number.POSITIVE_INFINITY)) return [];
    return twice ? [arrival, this.#arrival(conditions, now, false)] : [arrival];
  }

  /** When a TCP segment arrives; undefined if this attempt is lost. */
  segment(conditions: LinkConditions, now: Millis): Millis | undefined {
    const lost = this.#random.chance(conditions.loss ?? 0);
    const arrival = this.#arrival(conditions, now, false);
    return lost ? undefined : arrival;
  }

  #arrival(conditions: LinkConditions, now: Millis, heldBack: boolean): Millis {
    const [low, high] = delayRange(conditions);
    const delay = this.#random.between(low, high);
    if (heldBack) return toMicros(now + delay + this.#random.between(1, 3) * Math.max(SHORTEST_HOLD_MS, high));
    this.#lastArrival = Math.max(this.#lastArrival, toMicros(now + delay));
    return this.#lastArrival;
  }
}

/** Two access links in a row. */
export function inSeries(a: LinkConditions, b: LinkConditions): LinkConditions {
  const [aLow, aHigh] = delayRange(a);
  const [bLow, bHigh] = delayRange(b);
  const either = (p = 0, q = 0): number => 1 - (1 - p) * (1 - q);
  return {
    loss: either(a.loss, b.loss),
    delayMs: [aLow + bLow, aHigh + bHigh],
    reorder: either(a.reorder, b.reorder),
    duplicate: either(a.duplicate, b.duplicate),
    maxDatagramBytes: Math.min(
      a.maxDatagramBytes ?? Number.POSITIVE_INFINITY,
      b.maxDatagramBytes ?? Number.POSITIVE_INFINITY,
    ),
  };
}

function delayRange(conditions: LinkConditions): readonly [number, number] {
  const delay = conditions.delayMs ?? DEFAULT_DELAY_MS;
  return typeof delay === 'number' ? [delay, delay] : delay;
}

/** Whole microseconds keep times readable in traces. */
function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
