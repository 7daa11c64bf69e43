import { createRequest, type HeaderInit, type SipRequest, type SipResponse } from '../protocol/sip/message.js';

const MAX_FORWARDS = 70;

/**
 * The ACK to a non-2xx final response: RFC 3261 §17.1.1.3.
 * @param request the INVITE as it was sent, with its Via.
 */
export function ackFor(request: SipRequest, response: SipResponse): SipRequest {
  return derived(request, 'ACK', { To: response.headers.raw('To') });
}

/**
 * The CANCEL of an INVITE: RFC 3261 §9.1.
 * @param request the INVITE as it was sent, with its Via.
 * @param headers more headers, such as Reason (RFC 3326).
 */
export function cancelFor(request: SipRequest, headers: HeaderInit = {}): SipRequest {
  return derived(request, 'CANCEL', { To: request.headers.raw('To'), ...headers });
}

function derived(request: SipRequest, method: 'ACK' | 'CANCEL', headers: HeaderInit): SipRequest {
  const route = request.headers.raw('Route');
  return createRequest({
    method,
    uri: request.requestUri,
    headers: {
      Via: [request.topVia],
      ...(route.length > 0 ? { Route: route } : {}),
      'Max-Forwards': MAX_FORWARDS,
      From: request.headers.raw('From'),
      'Call-ID': request.callId,
      CSeq: { sequence: request.cseq.sequence, method },
      ...headers,
    },
  });
}
