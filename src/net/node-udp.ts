import { createSocket, type Socket } from 'node:dgram';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import { ListenError } from './errors.js';
import type { UdpOptions, UdpSocket } from './network.js';

/** What a socket may queue before packets are lost: a burst of a few thousand SIP messages. */
const DEFAULT_RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** Binds a UDP socket. @throws ListenError */
export function openNodeUdp(options: UdpOptions): Promise<UdpSocket> {
  const { local } = options;
  const version = ipVersion(local.address);
  if (version === 0) {
    const cause = new TypeError(`"${local.address}" is no IP literal`);
    return Promise.reject(
      new ListenError(
        'PBX_LISTEN_FAILED',
        { protocol: 'udp', local },
        'is no IP literal; give an address, not a name',
        { cause },
      ),
    );
  }
  const socket = createSocket({
    type: version === 6 ? 'udp6' : 'udp4',
    ipv6Only: version === 6,
    // Every address given to this socket is an IP literal: answering at once saves dgram an asynchronous look-up per
    // datagram, a fifth of its whole price.
    lookup: (host, _options, callback) => callback(null, host, version),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      reject(ListenError.fromSystem('udp', local, cause));
    });
    // Not `exclusive`: under node:cluster the workers may share the port.
    socket.bind({ address: local.address, port: local.port }, () => {
      socket.removeAllListeners('error');
      resolve(new NodeUdpSocket(socket, options));
    });
  });
}

class NodeUdpSocket implements UdpSocket {
  readonly local: SocketAddress;
  readonly #socket: Socket;
  /** One for all datagrams: without a callback dgram would swallow the failure. */
  readonly #done = (error: Error | null): void => {
    if (error !== null && this.#closing === undefined) this.#onError(error);
  };
  readonly #onError: (error: Error) => void;
  readonly #isMedia: boolean;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, options: UdpOptions) {
    this.#socket = socket;
    const bound = socket.address();
    this.local = { address: bound.address, port: bound.port };
    const { onMessage, onError } = options;
    this.#onError = onError;
    socket.on('error', onError);
    this.#isMedia = options.traffic === 'media';
    if (this.#isMedia) socket.on('message', onMessage);
    else socket.on('message', (data, info) => onMessage(data, { address: info.address, port: info.port }));
    try {
      socket.setRecvBufferSize(options.receiveBufferBytes ?? DEFAULT_RECEIVE_BUFFER_BYTES);
    } catch {
      // Some systems refuse more than their limit instead of cutting it: their own default then stands.
    }
  }

  send(data: Uint8Array, to: SocketAddress, onError?: (error: Error) => void): void {
    try {
      if (this.#isMedia && onError === undefined) {
        this.#socket.send(data, to.port, to.address);
        return;
      }
      const done = onError === undefined ? this.#done : (error: Error | null) => error !== null && onError(error);
      this.#socket.send(data, to.port, to.address, done);
    } catch (error) {
      // A closed socket or a port out of range: dgram throws; whoever sends must not care where a failure shows.
      this.#report(error instanceof Error ? error : new Error(String(error)), onError);
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closing;
  }

  #report(error: Error, onError: ((error: Error) => void) | undefined): void {
    if (this.#isMedia && onError === undefined) return;
    queueMicrotask(() => {
      if (onError !== undefined) onError(error);
      else this.#done(error);
    });
  }
}
