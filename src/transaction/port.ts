import type { PbxkitError } from '../base/errors.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Hop, Source } from '../transport/hop.js';
import type { OutgoingRequest } from '../transport/outgoing.js';

/** A response that has been sent and can be sent again, byte for byte. */
export interface SentResponse {
  again(): void;
}

/** What the transaction layer needs of the transports; `TransportLayer` fits it as it is. */
export interface TransactionTransport {
  /** Where messages go that come in. Set once. */
  handle(handlers: {
    onRequest(request: SipRequest, source: Source): void;
    onResponse(response: SipResponse, source: Source): void;
  }): void;
  /** Prepares a request for a hop: stamps its top Via and prints it once. Sends nothing yet. */
  outgoing(request: SipRequest, hop: Hop, handlers: { onError(error: PbxkitError): void }): OutgoingRequest;
  /**
   * Sends a response the way the request came: RFC 3261 §18.2.2, RFC 3581. Returns what can be sent again without the response; undefined:
   * the response is kept for that, and handed over anew.
   */
  sendResponse(response: SipResponse, source: Source, onError?: (error: PbxkitError) => void): SentResponse | undefined;
}
