import type { HeaderInit, SipResponse } from '../protocol/sip/message.js';
import type { IncomingRequest } from '../ua/incoming.js';

/** Session timer (RFC 4028), as far as requests and responses that refresh a session carry it. */
export interface RefreshHeaders {
  requestHeaders(): HeaderInit;
  responseHeaders(incoming: IncomingRequest): HeaderInit;
  /** True when the request asks for something impossible and has been answered. */
  refuses(incoming: IncomingRequest): boolean;
  onSuccess(response: SipResponse): void;
  onRefused(response: SipResponse): void;
}
