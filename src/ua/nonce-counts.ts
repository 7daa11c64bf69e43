import type { Clock } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';

interface Count {
  highest: number;
  /** Bit i: `highest - i` was used. */
  window: number;
}

/** Requests of one nonce may overtake one another by that many. */
const WINDOW = 32;

/** In overload, a nonce without a count is believed to be unused only that soon after it was issued. */
const FIRST_USE_MS = 10_000;

/**
 * Which nonce counts have been used (RFC 7616 §3.4, `nc`): each at most once. Only verified credentials are counted, so that
 * no stranger can fill it.
 *
 * A nonce without a count is taken as unused: it may have been issued by another node, or before a restart. Replay of what
 * another node or process has seen is thus possible within the nonce's lifetime. Beyond `capacity` the oldest count makes
 * room; for one nonce lifetime after that, a nonce without a count that was issued more than 10 s ago is refused: the client
 * gets a new one, which it uses at once.
 */
export class NonceCounts {
  readonly #clock: Clock;
  readonly #counts: ExpiringMap<string, Count>;
  readonly #capacity: number;
  readonly #lifetimeMs: number;
  #overflowUntil = Number.NEGATIVE_INFINITY;
  #forgotten = 0;

  constructor(options: { readonly clock: Clock; readonly capacity: number; readonly lifetimeMs: number }) {
    this.#clock = options.clock;
    this.#capacity = options.capacity;
    this.#lifetimeMs = options.lifetimeMs;
    this.#counts = new ExpiringMap({ capacity: options.capacity });
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Counts that made room for others before their time. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Uses `nc` of this nonce; false if it was used before, or may have been. */
  use(nonce: string, nc: number, ageMs: number): boolean {
    const now = this.#clock.now();
    const count = this.#counts.get(nonce, now);
    if (count !== undefined) return advance(count, nc);
    if (now < this.#overflowUntil && ageMs > FIRST_USE_MS) return false;
    if (this.#counts.size >= this.#capacity) {
      this.#overflowUntil = now + this.#lifetimeMs;
      this.#forgotten++;
    }
    // A nonce from another node whose clock is ahead lives a little longer here; see CLOCK_SKEW_MS in nonce.ts.
    this.#counts.set(nonce, { highest: nc, window: 1 }, now + 2 * this.#lifetimeMs, now);
    return true;
  }
}

function advance(count: Count, nc: number): boolean {
  const ahead = nc - count.highest;
  if (ahead > 0) {
    count.window = ahead >= WINDOW ? 1 : (count.window << ahead) | 1;
    count.highest = nc;
    return true;
  }
  if (-ahead >= WINDOW) return false;
  const bit = 1 << -ahead;
  if ((count.window & bit) !== 0) return false;
  count.window |= bit;
  return true;
}
