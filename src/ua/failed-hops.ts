import type { Millis } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';
import type { Hop } from '../transport/hop.js';

/** How long a hop that failed is put off, where its own answer does not say. */
const PUT_OFF_MS = 30_000;
/** No 503 puts its server off for longer than this: it is one word of one server. */
const MOST_PUT_OFF_MS = 300_000;
const CAPACITY = 1024;

/**
 * Hops that did not answer, could not be reached or asked to be left alone (503 with Retry-After: RFC 3261 §21.5.4). They
 * are not refused, only tried after the others, so that the next request does not wait for the same dead server again.
 */
export class FailedHops {
  readonly #until = new ExpiringMap<string, true>({ capacity: CAPACITY });

  /** The hops with those that failed lately behind the others; else in their order. */
  order(hops: readonly Hop[], now: Millis): readonly Hop[] {
    if (this.#until.size === 0 || hops.length < 2) return hops;
    const failed = hops.filter((hop) => this.#until.get(keyOf(hop), now) === true);
    return failed.length === 0 ? hops : [...hops.filter((hop) => !failed.includes(hop)), ...failed];
  }

  /** @param retryAfterSeconds what the hop itself asked for */
  failed(hop: Hop, now: Millis, retryAfterSeconds?: number): void {
    const ms = retryAfterSeconds === undefined ? PUT_OFF_MS : Math.min(retryAfterSeconds * 1000, MOST_PUT_OFF_MS);
    this.#until.set(keyOf(hop), true, now + ms, now);
  }

  /** The hop has answered. */
  answered(hop: Hop): void {
    if (this.#until.size > 0) this.#until.delete(keyOf(hop));
  }
}

function keyOf({ protocol, address, port }: Hop): string {
  return `${protocol} ${address} ${port}`;
}
