import { AddressSet } from '../base/address-set.js';
import type { Clock, Millis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import { parseIpv6 } from '../base/ip.js';

/** How much one source may send: datagrams, and connections that come in. */
export interface RateLimitSettings {
  /** Per second, in the long run. */
  readonly perSecond: number;
  /** At once, after a pause. Default five times `perSecond`. */
  readonly burst?: number;
  /** Addresses and networks that have no limit: carriers, edge proxies, monitoring. */
  readonly allow?: readonly string[];
  /** Sources that are remembered; beyond it the one that was first seen longest ago starts anew. Default 10,000. */
  readonly maxSources?: number;
}

/** What the limit has done since the start. */
export interface RateLimitStats {
  /** Sources that are remembered now. */
  readonly sources: number;
  /** Datagrams that were dropped and connections that were refused, unread. */
  readonly refused: number;
}

interface Bucket {
  tokens: number;
  at: Millis;
}

const DEFAULT_MAX_SOURCES = 10_000;
const DEFAULT_BURST_SECONDS = 5;

/**
 * A token bucket for each source address (of IPv6: its /64 network), in front of all parsing. What is beyond it is dropped
 * unread and unanswered; as soon as the source slows down it is served again.
 *
 * There is no ban, because the sender's address in a datagram proves nothing. Even so, who forges the address of a peer can use
 * up what that peer may send: addresses that must always be served belong into `allow`.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #maxSources: number;
  readonly #allow: AddressSet;
  readonly #buckets = new Map<string, Bucket>();
  #refused = 0;

  /** @throws UsageError PBX_INVALID_ARGUMENT for a rate that is not above 0, a burst or a table below 1, or a bad address in `allow` */
  constructor(options: RateLimitSettings & { readonly clock: Clock }) {
    const { perSecond, burst = perSecond * DEFAULT_BURST_SECONDS, maxSources = DEFAULT_MAX_SOURCES } = options;
    for (const [name, value, least] of [
      ['perSecond', perSecond, Number.MIN_VALUE],
      ['burst', burst, 1],
      ['maxSources', maxSources, 1],
    ] as const) {
      if (value >= least && Number.isFinite(value)) continue;
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `${name}: found ${value}, expected ${least === 1 ? '1 or more' : 'more than 0'}`,
      );
    }
    this.#clock = options.clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#maxSources = maxSources;
    this.#allow = new AddressSet(options.allow ?? []);
  }

  /** Whether one more message or connection of that address is taken. */
  admit(address: string): boolean {
    const key = sourceKey(address);
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (!this.#allow.has(address)) this.#open(key, now);
      return true;
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return true;
    }
    if (this.#allow.has(address)) return true;
    this.#refused++;
    return false;
  }

  stats(): RateLimitStats {
    return { sources: this.#buckets.size, refused: this.#refused };
  }

  #open(key: string, now: Millis): void {
    if (this.#buckets.size >= this.#maxSources) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    this.#buckets.set(key, { tokens: this.#burst - 1, at: now });
  }
}

/** Whoever has an IPv6 address has its whole /64. */
function sourceKey(address: string): string {
  const bytes = address.includes(':') ? parseIpv6(address) : undefined;
  return bytes === undefined ? address : Buffer.from(bytes.buffer, bytes.byteOffset, 8).toString('hex');
}
