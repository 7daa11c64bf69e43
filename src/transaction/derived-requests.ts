import { createRequest, type HeaderInit, type SipRequest, type SipResponse } from '../protocol/sip/message.js';
import type { Hop, OutgoingRequest } from '../transport/layer.js';

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

/** Where ACK and CANCEL go: the very address, port and transport of the INVITE, whatever their own size. */
export function sameWay(hop: Hop, sent: OutgoingRequest): Hop {
  const { address, port, flow } = hop;
  const way = { protocol: sent.protocol, address, port, forceProtocol: true };
  return flow !== undefined && flow.protocol === sent.protocol ? { ...way, flow } : way;
}
