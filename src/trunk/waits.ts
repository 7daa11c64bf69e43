import type { Random } from '../base/random.js';

/** RFC 5626 §4.5: base-time if all flows have failed, and max-time. */
const BASE_MS = 30_000;
const MOST_MS = 1_800_000;
/** Nobody is left alone for longer because of one word of one server. */
const MOST_RETRY_AFTER_MS = 3_600_000;
/** However short the grant: a carrier that grants a second is not to be asked every second. */
const SOONEST_REFRESH_MS = 5_000;
/** A first server that is dead costs 32 s (timer F): the second must be asked before the registration ends. */
const LEAST_LEAD_MS = 40_000;
/** Of long grants: a try that times out and the one after it both fit. */
const MOST_LEAD_MS = 120_000;

/**
 * When to refresh a registration, counted from the grant: a quarter of it before its end, at least 40 s, at most two minutes, and a
 * little more than half of short ones; less a jitter of up to a tenth, so that lines that were granted together do not come back
 * together. 3600 s: after 3120 to 3480 s; 60 s: after 21 to 27 s.
 */
export function refreshDelayMs(grantedSeconds: number, random: Random): number {
  const grantedMs = grantedSeconds * 1000;
  const lead = Math.min(Math.max(grantedMs / 4, LEAST_LEAD_MS), grantedMs * 0.55, MOST_LEAD_MS);
  return Math.max(SOONEST_REFRESH_MS, Math.ceil(grantedMs - lead) - jitter(grantedMs / 10, random));
}

/**
 * The wait after a number of failed attempts in a row (≥ 1): RFC 5626 §4.5, uniform between half and all of 30 s · 2ⁿ, at most half an
 * hour. A Retry-After is waited out (an hour at most), with a tenth of jitter behind it.
 */
export function retryDelayMs(failures: number, random: Random, retryAfterSeconds = 0): number {
  const upper = Math.min(MOST_MS, BASE_MS * 2 ** Math.min(failures, 10));
  const backOff = upper - jitter(upper / 2, random);
  const asked = Math.min(retryAfterSeconds * 1000, MOST_RETRY_AFTER_MS);
  return Math.max(backOff, asked === 0 ? 0 : asked + jitter(asked / 10, random));
}

/** A whole number of milliseconds from 0 to `mostMs`. */
function jitter(mostMs: number, random: Random): number {
  return random.integer(Math.floor(mostMs) + 1);
}
