import type { SocketAddress } from '../base/ip.js';
import type { FlowRef } from './hop.js';

/** Puts bytes into a datagram to `target`, from the socket of `flow`. */
export type SendDatagram = (bytes: Uint8Array, target: SocketAddress, flow: FlowRef) => void;

/** A response that has left by UDP: its bytes and where they went, not the message that they were. */
export class SentDatagram {
  readonly #send: SendDatagram;
  readonly #bytes: Uint8Array;
  readonly #target: SocketAddress;
  readonly #flow: FlowRef;

  constructor(send: SendDatagram, bytes: Uint8Array, target: SocketAddress, flow: FlowRef) {
    this.#send = send;
    this.#bytes = bytes;
    this.#target = target;
    this.#flow = flow;
  }

  again(): void {
    this.#send(this.#bytes, this.#target, this.#flow);
  }
}
