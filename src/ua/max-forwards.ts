import type { SipRequest } from '../protocol/sip/message.js';

/** What a request starts with (RFC 3261 §8.1.1.6), and what one without the header counts as (§16.3). */
export const DEFAULT_MAX_FORWARDS = 70;

/**
 * How many hops a request may still take, 0–255. A B2BUA sends the request of its other leg with one less and answers
 * 483 when there is none left (RFC 7332).
 * @throws SipParseError for a value that is no number
 */
export function maxForwards(request: SipRequest): number {
  return request.headers.get('Max-Forwards') ?? DEFAULT_MAX_FORWARDS;
}
