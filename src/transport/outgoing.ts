import type { SocketAddress } from '../base/ip.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { TransportError } from './error.js';
import type { Hop, TransportProtocol } from './hop.js';

/** Who sends a request is told of its failure: at most once, and never before the call that caused it has returned. */
export interface OutgoingHandlers {
  onError(error: TransportError): void;
}

/** A request that is ready to leave by one hop. */
export interface OutgoingRequest {
  /** Not always that of the hop: large requests leave by TCP (RFC 3261 §18.1.1). */
  readonly protocol: TransportProtocol;
  /** True: the transaction needs no retransmissions (RFC 3261 §17.1). */
  readonly reliable: boolean;
  /** As it is sent, with the stamped Via. */
  readonly request: SipRequest;
  /** Where it goes: what a CANCEL or an ACK of the same transaction must go to as well (RFC 3261 §9.1, §17.1.1.3). */
  readonly hop: Hop;
  /** The socket of ours that its Via stands for; undefined when it cannot be sent. */
  readonly local?: SocketAddress;
  /** Sends; again: the same bytes once more. */
  send(): void;
  /** No answer is awaited any more: a broken connection is then no news. A final response does the same. */
  release(): void;
}

/** Delivers one error to the handlers and no second. */
export class ErrorOnce {
  readonly #handlers: OutgoingHandlers;
  #told = false;

  constructor(handlers: OutgoingHandlers) {
    this.#handlers = handlers;
  }

  tell(error: TransportError): void {
    if (this.#told) return;
    this.#told = true;
    this.#handlers.onError(error);
  }

  /** Nobody wants to know any more. */
  silence(): void {
    this.#told = true;
  }
}
