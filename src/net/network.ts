import type { SocketAddress } from '../base/ip.js';
import type { NameService } from './dns.js';
import type { TlsSession, TlsSettings } from './tls-settings.js';

export type { HostAddress } from './dns.js';

/**
 * The one door to the network. `NodeNetwork` opens real sockets; the virtual network of `pbxkit/testing` implements the
 * same interface. Handlers are set once, at opening, and are called synchronously for each event.
 */
export interface Network extends NameService {
  /** @throws ListenError (PBX_PORT_IN_USE, PBX_LISTEN_FAILED) */
  openUdp(options: UdpOptions): Promise<UdpSocket>;
  /** @throws ListenError (PBX_PORT_IN_USE, PBX_LISTEN_FAILED) */
  listenTcp(options: TcpListenOptions): Promise<TcpListener>;
  /** Returns at once; `onOpen` or `onClose` follows. What is sent before `onOpen` is kept and sent then. */
  connectTcp(options: TcpConnectOptions): TcpConnection;
  /**
   * A connection is told of when it comes in, before its handshake: `isOpen` is false until `onOpen`. The handshake begins
   * when `onConnection` has returned without destroying it, and has no deadline here: that is the caller's.
   * @throws ListenError (PBX_PORT_IN_USE, PBX_LISTEN_FAILED), CertificateError (PBX_CERTIFICATE_INVALID)
   */
  listenTls(options: TlsListenOptions): Promise<TlsListener>;
  /**
   * As `connectTcp`; open once the handshake is over and the peer's certificate is found to be good for `name`
   * (RFC 5922 §7.3). Nothing is sent to a peer before.
   */
  connectTls(options: TlsConnectOptions): TcpConnection;
  /**
   * The addresses of this machine's interfaces, loopback included: what a wildcard listener expands to. No IPv6 link-local
   * ones: they need a zone, which SIP and SDP cannot carry.
   */
  localAddresses(): readonly string[];
  /**
   * The address of this machine from which the system sends to `destination` (an IP literal), by its routes. Undefined: no route, or it
   * cannot say. Who has several addresses and leaves this out is told by their networks alone.
   */
  sourceAddressFor?(destination: string): string | undefined;
}

export interface UdpOptions {
  /** Port 0: any free one. IPv6 sockets never take IPv4 traffic. */
  readonly local: SocketAddress;
  /** `data` belongs to the receiver. */
  readonly onMessage: (data: Uint8Array, from: SocketAddress) => void;
  readonly onError: (error: Error) => void;
  /** Default 1 MiB, as far as the system allows. */
  readonly receiveBufferBytes?: number;
  /**
   * `media`: thousands of datagrams a second, where each costs as little as can be: nobody is told of one that could not be sent, and
   * `from` is the object that the system gave, which may hold more than an address. Default `messages`.
   */
  readonly traffic?: 'messages' | 'media';
}

export interface UdpSocket {
  readonly local: SocketAddress;
  /**
   * Fire and forget; a failure goes to `onError` of the call if given, else to that of the socket, after `send` has
   * returned. Never throws. `to.address` is an IP literal; `data` must not be changed afterwards.
   */
  send(data: Uint8Array, to: SocketAddress, onError?: (error: Error) => void): void;
  close(): Promise<void>;
}

export interface TcpListenOptions {
  readonly local: SocketAddress;
  readonly onConnection: (connection: TcpConnection) => void;
  readonly onError: (error: Error) => void;
}

export interface TcpListener {
  readonly local: SocketAddress;
  /** Stops listening; accepted connections live on. */
  close(): Promise<void>;
}

export interface TcpConnectOptions {
  readonly remote: SocketAddress;
  readonly localAddress?: string;
  readonly timeoutMs: number;
}

export interface TlsListenOptions extends TcpListenOptions {
  readonly tls: TlsSettings;
}

export interface TlsListener extends TcpListener {
  /**
   * What new connections are shown from now on: a renewed certificate. Open connections keep what they have.
   * @throws CertificateError (PBX_CERTIFICATE_INVALID); nothing has been changed then
   */
  reconfigure(tls: TlsSettings): void;
}

export interface TlsConnectOptions extends TcpConnectOptions {
  /** The domain that was looked up, or an IP literal: asked for by SNI, and what the certificate must be for. */
  readonly name: string;
  readonly tls: TlsSettings;
}

/** A connection over TCP, with or without TLS. */
export interface TcpConnection {
  /** Known once open. */
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly isOpen: boolean;
  /** Present once a TLS handshake is over. */
  readonly session?: TlsSession | undefined;
  /** Bytes handed over and not yet taken by the system: the measure of a slow reader. */
  readonly queuedBytes: number;
  /** Sets who listens. Must be called in the turn in which the connection was made. */
  handle(handlers: TcpHandlers): void;
  /** `data` must not be changed afterwards. On a connection that is closing it is dropped: `onClose` tells. */
  send(data: Uint8Array): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface TcpHandlers {
  readonly onOpen?: () => void;
  readonly onData: (data: Uint8Array) => void;
  /** Exactly once, whoever closed; `error` if a failure was the reason. Never before `connectTcp` has returned. */
  readonly onClose: (error?: Error) => void;
}
