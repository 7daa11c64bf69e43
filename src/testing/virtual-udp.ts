import { ipVersion, type SocketAddress } from '../base/ip.js';
import type { UdpOptions, UdpSocket } from '../net/network.js';
import { systemError, type Transmit } from './packet.js';

/** The largest payload that fits an IPv4 datagram. */
const MAX_PAYLOAD_BYTES = 65_507;

export interface VirtualUdpOptions {
  readonly local: SocketAddress;
  readonly options: UdpOptions;
  readonly transmit: Transmit;
  /** The address that a wildcard socket sends from. */
  readonly sourceFor: (destination: string) => string | undefined;
  readonly onClosed: (socket: VirtualUdpSocket) => void;
}

/** A UDP socket of a virtual host. */
export class VirtualUdpSocket implements UdpSocket {
  readonly local: SocketAddress;
  readonly #setup: VirtualUdpOptions;
  #closed = false;

  constructor(setup: VirtualUdpOptions) {
    this.local = setup.local;
    this.#setup = setup;
  }

  send(data: Uint8Array, to: SocketAddress, onError?: (error: Error) => void): void {
    const address = this.#setup.sourceFor(to.address);
    const problem = this.#problem(data, to);
    if (problem !== undefined || address === undefined) {
      this.#report(problem ?? systemError('ENETUNREACH', `no way to ${to.address}`), onError);
      return;
    }
    const from = address === this.local.address ? this.local : { address, port: this.local.port };
    this.#setup.transmit({ protocol: 'udp', from, to, data: Buffer.from(data) });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#setup.onClosed(this);
    }
    return Promise.resolve();
  }

  /** A datagram has arrived. The receiver gets bytes of its own, as a `Buffer` over a larger store, as from a real socket. */
  receive(data: Uint8Array, from: SocketAddress): void {
    this.#setup.options.onMessage(Buffer.from(data), from);
  }

  #problem(data: Uint8Array, to: SocketAddress): Error | undefined {
    if (this.#closed) return systemError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'the socket is closed');
    if (data.length > MAX_PAYLOAD_BYTES) return systemError('EMSGSIZE', `${data.length} bytes do not fit a datagram`);
    if (!(to.port > 0 && to.port < 65_536)) return systemError('ERR_SOCKET_BAD_PORT', `no port ${to.port}`);
    if (ipVersion(to.address) !== ipVersion(this.local.address)) {
      return systemError('EINVAL', `${to.address} is of another family than ${this.local.address}`);
    }
    return undefined;
  }

  #report(error: Error, onError: ((error: Error) => void) | undefined): void {
    if (onError === undefined && this.#setup.options.traffic === 'media') return;
    queueMicrotask(() => {
      if (onError !== undefined) onError(error);
      else if (!this.#closed) this.#setup.options.onError(error);
    });
  }
}
