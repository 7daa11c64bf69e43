import type { Random } from '../base/random.js';

/** A modification of ours that meets with one of the peer's is tried this often in all. */
export const GLARE_ATTEMPTS = 6;

/**
 * How long to wait after a 491 before the request is sent again, in milliseconds, in steps of 10 ms (RFC 3261 §14.1, RFC
 * 3311 §5.3): 2.1–4 s for the owner of the Call-ID, 0–2 s for the other side, so that the two do not meet again.
 */
export function glareDelayMs(ownsCallId: boolean, random: Random): number {
  return ownsCallId ? 2100 + 10 * random.integer(191) : 10 * random.integer(201);
}
