import type { SipResponse } from '../protocol/sip/message.js';

/** What a client machine asks of the layer, in order. */
export type ClientEffect =
  /** Send the request, or send the same bytes again. */
  | { readonly type: 'send' }
  /** Build the ACK to this final response (RFC 3261 §17.1.1.3) and send it where the request went. */
  | { readonly type: 'ack'; readonly response: SipResponse }
  /** Build the CANCEL and send it in a transaction of its own (RFC 3261 §9.1). */
  | { readonly type: 'cancel' }
  | { readonly type: 'deliver'; readonly response: SipResponse }
  /** No final response came in time. */
  | { readonly type: 'timeout' }
  /** The request could not be sent. */
  | { readonly type: 'unsent' };

/** What a server machine asks of the layer, in order. */
export type ServerEffect =
  | { readonly type: 'send'; readonly response: SipResponse }
  /** The peer has acknowledged the non-2xx final response. */
  | { readonly type: 'acknowledged' }
  /** RFC 6026 §7.1: this ACK belongs to the user, not to the transaction. */
  | { readonly type: 'ack-to-user' }
  /** The peer never acknowledged the final response, or the user never gave one. */
  | { readonly type: 'timeout' };

export const SEND: readonly ClientEffect[] = Object.freeze([Object.freeze({ type: 'send' as const })]);

/** No effects: shared, so that absorbing a retransmission allocates nothing. */
export const NOTHING: readonly never[] = Object.freeze([]);
