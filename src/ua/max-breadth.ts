import type { SipRequest } from '../protocol/sip/message.js';

/** What a request without the header counts as (RFC 5393 §5.3.3.1). */
export const DEFAULT_MAX_BREADTH = 60;

/**
 * By how many branches at once a request may still be forked, whoever forks it (RFC 5393 §5.3).
 * @throws SipParseError for a value that is no number
 */
export function maxBreadth(request: SipRequest): number {
  return request.headers.get('Max-Breadth') ?? DEFAULT_MAX_BREADTH;
}

/**
 * The breadth that each of so many parallel branches gets: their sum is what there was, none gets 0. Undefined when there
 * is not enough for all of them: 440 (RFC 5393 §5.3.3.2).
 */
export function splitBreadth(breadth: number, branches: number): readonly number[] | undefined {
  if (branches > breadth) return undefined;
  const [share, rest] = [Math.floor(breadth / branches), breadth % branches];
  return Array.from({ length: branches }, (_, index) => share + (index < rest ? 1 : 0));
}
