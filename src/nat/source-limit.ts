import type { Clock, Millis } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';
import { parseIpv6 } from '../base/ip.js';

/** How much one source may ask. */
export interface SourceRate {
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: Millis;
}

/** Sources that are remembered; beyond it the one that asked longest ago starts anew. */
const MOST_SOURCES = 20_000;

/**
 * A token bucket for each source address (of IPv6: its /64 network): one source cannot take the service from another, and
 * whoever's address is forged hears no more than this. A bucket that would be full again is forgotten.
 */
export class SourceLimit {
  readonly #clock: Clock;
  readonly #rate: SourceRate;
  readonly #buckets = new ExpiringMap<string, Bucket>({ capacity: MOST_SOURCES });

  constructor(options: { readonly clock: Clock; readonly rate: SourceRate }) {
    this.#clock = options.clock;
    this.#rate = options.rate;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether that source may ask once more. */
  admit(address: string): boolean {
    const { perSecond, burst } = this.#rate;
    const key = sourceKey(address);
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key, now) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    const admitted = bucket.tokens >= 1;
    if (admitted) bucket.tokens--;
    this.#buckets.set(key, bucket, now + ((burst - bucket.tokens) / perSecond) * 1000, now);
    return admitted;
  }
}

/** Whoever has an IPv6 address has its whole /64. */
function sourceKey(address: string): string {
  const bytes = address.includes(':') ? parseIpv6(address) : undefined;
  return bytes === undefined ? address : Buffer.from(bytes.buffer, bytes.byteOffset, 8).toString('hex');
}
