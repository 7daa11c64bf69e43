import type { Socket } from 'node:net';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import type { TcpConnection, TcpHandlers } from './network.js';
import type { TlsSession } from './tls-settings.js';

/** Silence after which the system probes whether the far end still lives. */
export const KEEP_ALIVE_DELAY_MS = 60_000;

/** A TCP connection over real sockets, with or without TLS: open at once, or when `opened` is called. */
export class NodeConnection implements TcpConnection {
  readonly remote: SocketAddress;
  /** The raw socket until a TLS handshake is over, then the one that deciphers. */
  #socket: Socket;
  #state: 'opening' | 'open' | 'closed';
  #session: TlsSession | undefined;
  #handlers: TcpHandlers | undefined;
  /** What was sent before the connection is open. A TLS socket would send it before the peer's certificate is looked at. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #ending = false;
  #local: SocketAddress = { address: '', port: 0 };
  #error: Error | undefined;

  constructor(socket: Socket, remote: SocketAddress, state: 'opening' | 'open') {
    this.remote = remote;
    this.#socket = socket;
    this.#state = state;
    this.#takeLocal();
    this.#watch(socket);
  }

  get local(): SocketAddress {
    return this.#local;
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#socket.readyState === 'open';
  }

  get session(): TlsSession | undefined {
    return this.#session;
  }

  get queuedBytes(): number {
    return this.#earlyBytes + this.#socket.writableLength;
  }

  handle(handlers: TcpHandlers): void {
    if (this.#handlers !== undefined) return;
    this.#handlers = handlers;
    if (this.#state === 'open') this.#socket.on('data', handlers.onData);
  }

  send(data: Uint8Array): void {
    if (this.#ending) return;
    if (this.#state === 'opening') {
      this.#early.push(data);
      this.#earlyBytes += data.length;
    } else if (this.#socket.writable) this.#socket.write(data);
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#state === 'open') this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it because of a failure that the socket does not know of itself. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  /** Why it will have ended, if it ends now. */
  blame(error: Error): void {
    this.#error ??= error;
  }

  /** It can be used from now on, by that socket. */
  opened(socket: Socket, session?: TlsSession): void {
    if (this.#state !== 'opening') {
      socket.destroy();
      return;
    }
    if (socket !== this.#socket) {
      this.#socket = socket;
      this.#watch(socket);
    }
    this.#state = 'open';
    this.#session = session;
    this.#takeLocal();
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const data of early) socket.write(data);
    if (this.#ending) socket.end();
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    handlers.onOpen?.();
    socket.on('data', handlers.onData);
  }

  /** The last socket's end is the connection's: the raw one of a TLS connection may close before all is deciphered. */
  #watch(socket: Socket): void {
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('close', () => {
      if (socket !== this.#socket || this.#state === 'closed') return;
      this.#state = 'closed';
      this.#early = [];
      this.#earlyBytes = 0;
      this.#handlers?.onClose(this.#error);
    });
  }

  #takeLocal(): void {
    const { localAddress, localPort } = this.#socket;
    if (localAddress !== undefined && localPort !== undefined) {
      this.#local = { address: normalizeHost(localAddress), port: localPort };
    }
  }
}
