import { type HeaderInit, SipHeaders } from '../protocol/sip/headers.js';
import { createRequest, type SipRequest, type SipResponse } from '../protocol/sip/message.js';

const MAX_FORWARDS = 70;

/**
 * The ACK to a non-2xx final response: RFC 3261 §17.1.1.3.
 * @param request the INVITE as it was sent, with its Via.
 */
export function ackFor(request: SipRequest, response: SipResponse): SipRequest {
  return derived(request, 'ACK', response.headers);
}

/**
 * The CANCEL of an INVITE: RFC 3261 §9.1.
 * @param request the INVITE as it was sent, with its Via.
 * @param more headers to add, such as Reason (RFC 3326).
 */
export function cancelFor(request: SipRequest, more: HeaderInit = {}): SipRequest {
  const cancel = derived(request, 'CANCEL', request.headers);
  cancel.headers.assign(more);
  return cancel;
}

/** What is equal in both is copied as it stands, byte for byte. */
function derived(request: SipRequest, method: 'ACK' | 'CANCEL', toFrom: SipHeaders): SipRequest {
  const headers = new SipHeaders()
    .pushVia(request.topVia)
    .copyFrom(request.headers, 'Route')
    .set('Max-Forwards', MAX_FORWARDS)
    .copyFrom(request.headers, 'From')
    .copyFrom(toFrom, 'To')
    .copyFrom(request.headers, 'Call-ID')
    .set('CSeq', { sequence: request.cseq.sequence, method });
  return createRequest({ method, uri: request.requestUri, headers });
}
