import type { SocketAddress } from '../base/ip.js';
import type { DnsQueryOptions, HostAddress, NaptrRecord, SrvRecord } from '../net/dns.js';
import type {
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpListener,
  TcpListenOptions,
  TlsConnectOptions,
  TlsListener,
  TlsListenOptions,
  UdpOptions,
  UdpSocket,
} from '../net/network.js';
import type { StunPort } from './stun-port.js';

/**
 * A network whose UDP sockets can ask STUN servers beside what they are for. Whoever opens sockets by it notices nothing: it is
 * not shown the answers, and everything else at once. A datagram costs three comparisons more.
 */
export class StunNetwork implements Network {
  readonly #inner: Network;
  readonly #ports = new Set<SharedSocket>();

  constructor(inner: Network) {
    this.#inner = inner;
  }

  /** The open UDP sockets. */
  get ports(): readonly StunPort[] {
    return [...this.#ports];
  }

  async openUdp(options: UdpOptions): Promise<UdpSocket> {
    const takers = new Set<Taker>();
    const socket = await this.#inner.openUdp({
      ...options,
      onMessage: (data, from) => {
        if (takers.size > 0 && isAnswer(data)) for (const taker of takers) if (taker(data, from)) return;
        options.onMessage(data, from);
      },
    });
    const shared = new SharedSocket(socket, takers, () => this.#ports.delete(shared));
    this.#ports.add(shared);
    return shared;
  }

  listenTcp(options: TcpListenOptions): Promise<TcpListener> {
    return this.#inner.listenTcp(options);
  }

  connectTcp(options: TcpConnectOptions): TcpConnection {
    return this.#inner.connectTcp(options);
  }

  listenTls(options: TlsListenOptions): Promise<TlsListener> {
    return this.#inner.listenTls(options);
  }

  connectTls(options: TlsConnectOptions): TcpConnection {
    return this.#inner.connectTls(options);
  }

  localAddresses(): readonly string[] {
    return this.#inner.localAddresses();
  }

  sourceAddressFor(destination: string): string | undefined {
    return this.#inner.sourceAddressFor?.(destination);
  }

  lookup(host: string, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    return this.#inner.lookup(host, options);
  }

  resolveAddresses(host: string, family: 4 | 6, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    return this.#inner.resolveAddresses(host, family, options);
  }

  resolveSrv(name: string, options?: DnsQueryOptions): Promise<readonly SrvRecord[]> {
    return this.#inner.resolveSrv(name, options);
  }

  resolveNaptr(name: string, options?: DnsQueryOptions): Promise<readonly NaptrRecord[]> {
    return this.#inner.resolveNaptr(name, options);
  }
}

type Taker = (data: Uint8Array, from: SocketAddress) => boolean;

class SharedSocket implements UdpSocket, StunPort {
  readonly local: SocketAddress;
  readonly #socket: UdpSocket;
  readonly #takers: Set<Taker>;
  readonly #onClose: () => void;

  constructor(socket: UdpSocket, takers: Set<Taker>, onClose: () => void) {
    this.local = socket.local;
    this.#socket = socket;
    this.#takers = takers;
    this.#onClose = onClose;
  }

  send(data: Uint8Array, to: SocketAddress, onError?: (error: Error) => void): void {
    this.#socket.send(data, to, onError);
  }

  onAnswer(taker: Taker): () => void {
    this.#takers.add(taker);
    return () => this.#takers.delete(taker);
  }

  close(): Promise<void> {
    this.#onClose();
    this.#takers.clear();
    return this.#socket.close();
  }
}

/** By its first bytes a success or error response to Binding (RFC 8489 §5): what no SIP message and no RTP packet begins with. */
function isAnswer(data: Uint8Array): boolean {
  return data[0] === 0x01 && (data[1] === 0x01 || data[1] === 0x11) && data.length >= 20;
}
