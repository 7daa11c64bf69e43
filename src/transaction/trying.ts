import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { readable } from '../protocol/sip/parse-error.js';
import { responseTo } from '../protocol/sip/respond.js';

/**
 * The 100 to a request that nobody has answered yet. The Timestamp of the request is echoed, and how long we have had it
 * is put behind, so that the sender can tell the way from the wait (RFC 3261 §8.2.6.1).
 */
export function tryingTo(request: SipRequest, waitedMs: number): SipResponse {
  const response = responseTo(request, 100);
  const timestamp = readable(() => request.headers.get('Timestamp'));
  if (timestamp !== undefined && waitedMs > 0) {
    response.headers.set('Timestamp', { value: timestamp.value, delay: String(Math.round(waitedMs) / 1000) });
  }
  return response;
}
