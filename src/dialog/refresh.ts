import { fitAnswer } from '../protocol/sdp/answer.js';
import { parseSdp, sdpText } from '../protocol/sdp/lines.js';
import { SdpParseError } from '../protocol/sdp/parse-error.js';
import type { Agreed } from './negotiation.js';

/**
 * The answer to an offer that says what the peer said before, to the letter: a refresh of the session (RFC 4028 §7.4), for
 * which nobody else need be asked. It is what we said before, narrowed where an offer of ours stood wider than an answer
 * may. Undefined for an offer with something new in it.
 */
export function answerToRefresh(agreed: Agreed | undefined, offer: string): string | undefined {
  if (agreed === undefined || agreed.remote !== offer) return undefined;
  try {
    return sdpText(fitAnswer(parseSdp(offer), parseSdp(agreed.local)));
  } catch (error) {
    if (error instanceof SdpParseError) return undefined;
    throw error;
  }
}
