import { type SocketAddress, sameAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { Network, UdpSocket } from '../net/network.js';
import type { SourceFor } from '../net/source-addresses.js';
import { answerBinding, readBindingRequest } from '../protocol/stun/binding.js';
import { classifyDatagram, messageStart } from './datagram.js';
import type { FlowRef, Source } from './hop.js';
import type { ListenTarget, Opened } from './listeners.js';
import { isUnicast, pickLocal } from './peer-address.js';
import type { TransportCounters } from './stats.js';

export interface UdpTransportOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  /** By which of our addresses a peer is reached. */
  readonly sourceFor: SourceFor;
  /** Asked before a datagram is looked into. */
  readonly admit: (remote: SocketAddress) => boolean;
  readonly onMessage: (bytes: Uint8Array, source: Source) => void;
}

/** SIP over UDP (RFC 3261 §18): one message a datagram, an answer leaves from the socket that the question came to. */
export class UdpTransport {
  readonly #options: UdpTransportOptions;
  #sockets: UdpSocket[] = [];

  constructor(options: UdpTransportOptions) {
    this.#options = options;
  }

  get sockets(): readonly { readonly local: SocketAddress }[] {
    return this.#sockets;
  }

  /** @throws ListenError */
  async open(target: ListenTarget): Promise<Opened> {
    const { network, logger } = this.#options;
    // Datagrams may come before openUdp has resolved; the address is the one asked for unless the port was left open.
    let { local } = target;
    const socket = await network.openUdp({
      local,
      onMessage: (data, remote) => this.#onDatagram(data, local, remote),
      onError: (error) => logger.warn({ err: error, local }, `UDP socket: ${error.message}`),
    });
    local = socket.local;
    this.#sockets.push(socket);
    return {
      local,
      close: () => {
        this.#sockets = this.#sockets.filter((each) => each !== socket);
        return socket.close();
      },
    };
  }

  /** The socket to reach `address` from: that of the flow if it is still there, else the best by family, route and network. */
  socketFor(address: string, flow?: FlowRef): UdpSocket | undefined {
    if (flow?.protocol === 'udp') {
      for (const socket of this.#sockets) if (sameAddress(socket.local, flow.local)) return socket;
    }
    return this.#sockets.length === 1 && this.#sameFamily(address)
      ? this.#sockets[0]
      : pickLocal(this.#sockets, address, this.#options.sourceFor);
  }

  #sameFamily(address: string): boolean {
    return this.#sockets[0]?.local.address.includes(':') === address.includes(':');
  }

  #onDatagram(data: Uint8Array, local: SocketAddress, remote: SocketAddress): void {
    const { counters, admit, scheduler, onMessage } = this.#options;
    if (remote.port === 0 || !isUnicast(remote.address) || !admit(remote)) {
      counters.refused++;
      return;
    }
    const start = messageStart(data);
    switch (classifyDatagram(data, start)) {
      case 'keep-alive':
        counters.keepAlives++;
        return;
      case 'stun':
        counters.stun++;
        this.#onStun(data, local, remote);
        return;
      case 'message':
        onMessage(start === 0 ? data : data.subarray(start), {
          protocol: 'udp',
          local,
          remote,
          flow: { protocol: 'udp', local, remote },
          secure: false,
          receivedAt: scheduler.now(),
        });
    }
  }

  /** RFC 5626 §8: whoever listens for SIP here also answers STUN Binding requests, and no other STUN. */
  #onStun(data: Uint8Array, local: SocketAddress, remote: SocketAddress): void {
    const request = readBindingRequest(data);
    if (request === undefined) return;
    const socket = this.socketFor(remote.address, { protocol: 'udp', local, remote });
    try {
      socket?.send(answerBinding(request, remote), remote);
    } catch (error) {
      // An address that STUN cannot write, such as one with a zone: the phone hears nothing and takes another way.
      this.#options.logger.debug({ err: error, remote }, 'a STUN request could not be answered');
    }
  }
}
