import type { HeaderName } from './header/registry.js';
import type { SipRequest, SipResponse } from './message.js';
import { SipParseError } from './parse-error.js';
import { salvageTopVia } from './salvage.js';

/** Why a message may not be dispatched. */
export interface SipFault {
  /** The response code that is owed: 400 or 505. */
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
  /** The header at fault, if it is one. */
  readonly header?: string;
  /** False: the request is an ACK, or its Via shows no way for an answer; drop it. */
  readonly answerable: boolean;
}

/**
 * What must be right before a request is dispatched (RFC 3261 §8.1.1, §8.2, §18.3): version, Request-URI, Via, From, To, Call-ID,
 * CSeq, Max-Forwards and Content-Length. Other headers are checked when they are used. Max-Forwards may be missing (§16.3: RFC 2543).
 *
 * @param options.datagram true for UDP and WebSocket, where Content-Length may be missing and may not exceed the bytes at hand.
 */
export function checkRequest(request: SipRequest, options: { readonly datagram: boolean }): SipFault | undefined {
  const fault = findRequestFault(request, options.datagram);
  if (fault === undefined) return undefined;
  const answerable = request.method !== 'ACK' && salvageTopVia(request.headers) !== undefined;
  return { ...fault, answerable };
}

type Finding = Omit<SipFault, 'answerable'>;

function findRequestFault(request: SipRequest, datagram: boolean): Finding | undefined {
  if (request.version !== 'SIP/2.0') return { status: 505, reason: 'Version Not Supported' };
  return (
    findCommonFault(request) ??
    (request.cseq.method === request.method ? undefined : bad('CSeq method differs', 'CSeq')) ??
    readable(request, 'Max-Forwards') ??
    findUriFault(request) ??
    findLengthFault(request, datagram)
  );
}

/** What must be right before a response is matched; a faulty one is discarded (§18.1.2). */
export function checkResponse(response: SipResponse): SipFault | undefined {
  const fault =
    response.version === 'SIP/2.0'
      ? (findCommonFault(response) ?? findLengthFault(response, true))
      : { status: 505, reason: 'Version Not Supported' };
  return fault === undefined ? undefined : { ...fault, answerable: false };
}

function findCommonFault(message: SipRequest | SipResponse): Finding | undefined {
  return (
    needed(message, 'Via') ??
    needed(message, 'From') ??
    needed(message, 'To') ??
    needed(message, 'Call-ID') ??
    needed(message, 'CSeq')
  );
}

function needed(message: SipRequest | SipResponse, name: HeaderName): Finding | undefined {
  try {
    return message.headers.get(name) === undefined ? bad(`Missing ${name}`, name) : undefined;
  } catch (error) {
    return faultOf(error, name);
  }
}

function readable(message: SipRequest | SipResponse, name: HeaderName): Finding | undefined {
  try {
    message.headers.get(name);
    return undefined;
  } catch (error) {
    return faultOf(error, name);
  }
}

function faultOf(error: unknown, name: HeaderName): Finding {
  if (error instanceof SipParseError) return bad(`Bad ${name}`, name);
  throw error;
}

function findUriFault(request: SipRequest): Finding | undefined {
  try {
    const { uri } = request;
    // §19.1.1: headers have no place in a Request-URI, and would slip into whatever is made from it.
    if (uri.kind === 'sip' && uri.headers.length > 0) return bad('Headers In Request-URI');
    return undefined;
  } catch (error) {
    if (error instanceof SipParseError) return bad('Bad Request-URI');
    throw error;
  }
}

function findLengthFault(message: SipRequest | SipResponse, datagram: boolean): Finding | undefined {
  const unreadable = readable(message, 'Content-Length');
  if (unreadable !== undefined) return unreadable;
  const length = message.headers.get('Content-Length');
  if (length === undefined) return datagram ? undefined : bad('Missing Content-Length', 'Content-Length');
  const { received } = message;
  return received !== undefined && length > received
    ? bad('Content-Length Exceeds Message', 'Content-Length')
    : undefined;
}

function bad(reason: string, header?: HeaderName): Finding {
  return header === undefined ? { status: 400, reason } : { status: 400, reason, header };
}
