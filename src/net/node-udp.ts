import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import { ListenError } from './errors.js';
import type { UdpOptions, UdpSocket } from './network.js';

/** What a socket may queue before packets are lost: a burst of a few thousand SIP messages. */
const DEFAULT_RECEIVE_BUFFER_BYTES = 1024 * 1024;

/**
 * Every address given to these sockets is an IP literal: answering at once saves dgram an asynchronous look-up per datagram, a fifth of its
 * whole price. One function for all sockets of a family, so that each call of it is a call of the same function.
 */
const asGiven4: NonNullable<SocketOptions['lookup']> = (host, _options, callback) => callback(null, host, 4);
const asGiven6: NonNullable<SocketOptions['lookup']> = (host, _options, callback) => callback(null, host, 6);

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
    lookup: version === 6 ? asGiven6 : asGiven4,
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
  readonly #socket: Socket;
  readonly #isMedia: boolean;
  readonly local: SocketAddress;
  readonly #onError: (error: Error) => void;
  /** One for all datagrams: without a callback dgram would swallow the failure. None for media, of which no failure is told. */
  readonly #done: ((error: Error | null) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, options: UdpOptions) {
    this.#socket = socket;
    const bound = socket.address();
    this.local = { address: bound.address, port: bound.port };
    const { onMessage, onError } = options;
    this.#onError = onError;
    socket.on('error', onError);
    this.#isMedia = options.traffic === 'media';
    if (this.#isMedia) {
      this.#done = undefined;
      socket.on('message', onMessage);
    } else {
      this.#done = (error) => error !== null && this.#fail(error);
      socket.on('message', (data, info) => onMessage(data, { address: info.address, port: info.port }));
    }
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
      else this.#fail(error);
    });
  }

  #fail(error: Error): void {
    if (this.#closing === undefined) this.#onError(error);
  }
}
