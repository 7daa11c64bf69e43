import { AddressSet } from '../base/address-set.js';
import { ipVersion, isWildcardAddress, normalizeHost, type SocketAddress } from '../base/ip.js';
import type { Scheduler } from '../base/scheduler.js';
import type { DnsQueryOptions, HostAddress, NaptrRecord, SrvRecord } from '../net/dns.js';
import { ListenError, type ListenProtocol } from '../net/errors.js';
import { facingAddress } from '../net/facing-address.js';
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
import type { LinkConditions } from './link.js';
import type { Nat } from './nat.js';
import { type Packet, systemError, type Transmit } from './packet.js';
import type { VirtualDns } from './virtual-dns.js';
import { VirtualTcpConnection } from './virtual-tcp.js';
import { checkVirtualTls, type ShownCertificates, VirtualTlsConnection } from './virtual-tls.js';
import { VirtualUdpSocket } from './virtual-udp.js';

/** `{ to: '10.8.0.0/16', from: '10.9.0.2' }` */
export interface VirtualRoute {
  /** A network. */
  readonly to: string;
  /** An address of the host. */
  readonly from: string;
}

export interface VirtualHostOptions {
  /** Default: the first address. */
  readonly name?: string;
  /** Loopback addresses need not be given. */
  readonly addresses: readonly string[];
  /** By which of its addresses it sends where; of several that fit the first. Default: one in the destination's network, else the first. */
  readonly routes?: readonly VirtualRoute[];
  /** The NAT box between this host and the rest. */
  readonly behind?: Nat;
  /** The conditions of this host's own access, instead of the network's. */
  readonly link?: LinkConditions;
}

/** What a host needs of the network it hangs on. */
export interface HostSurroundings {
  readonly scheduler: Scheduler;
  readonly dns: VirtualDns;
  readonly transmit: (host: VirtualHost, packet: Packet, settled?: (arrived: boolean) => void) => void;
  readonly nextSegmentBytes: () => number;
  readonly tcpGiveUpMs: number;
  readonly shownCertificates: ShownCertificates;
}

interface Listener {
  readonly local: SocketAddress;
  readonly options: TcpListenOptions;
}

const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;

/** One machine on a virtual network: the `Network` that a program on it is given. */
export class VirtualHost implements Network {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly behind: Nat | undefined;
  /** May be changed at any time. */
  link: LinkConditions | undefined;
  readonly #surroundings: HostSurroundings;
  readonly #routes: readonly { readonly to: AddressSet; readonly from: string }[];
  /** Loopback included. */
  readonly #own: ReadonlySet<string>;
  #udp: VirtualUdpSocket[] = [];
  #listeners: Listener[] = [];
  readonly #connections = new Map<string, VirtualTcpConnection>();
  #nextEphemeral = FIRST_EPHEMERAL_PORT;
  #alive = true;
  /** Sockets of an earlier life stay dead when the host comes back. */
  #life = 0;

  constructor(options: VirtualHostOptions, surroundings: HostSurroundings) {
    this.addresses = options.addresses.map(normalizeHost);
    this.name = options.name ?? this.addresses[0] ?? 'host';
    this.behind = options.behind;
    this.link = options.link;
    this.#routes = (options.routes ?? []).map(({ to, from }) => ({
      to: new AddressSet([to]),
      from: normalizeHost(from),
    }));
    this.#surroundings = surroundings;
    this.#own = new Set(this.localAddresses());
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** UDP sockets and TCP listeners that are open. */
  get openSockets(): number {
    return this.#udp.length + this.#listeners.length;
  }

  /** TCP connections that are not closed, those under way included. */
  get openConnections(): number {
    return this.#connections.size;
  }

  /** What is open, one line each, for the report of a leak. */
  openList(): readonly string[] {
    return [
      ...this.#udp.map((socket) => `udp ${socket.local.address}:${socket.local.port}`),
      ...this.#listeners.map(({ local }) => `tcp listener ${local.address}:${local.port}`),
      ...[...this.#connections.values()].map(
        ({ local, remote }) => `tcp ${local.address}:${local.port} to ${remote.address}:${remote.port}`,
      ),
    ];
  }

  async openUdp(options: UdpOptions): Promise<UdpSocket> {
    const local = this.#bind('udp', options.local);
    const socket = new VirtualUdpSocket({
      local,
      options,
      transmit: this.#transmit(),
      sourceFor: (destination) => (isWildcardAddress(local.address) ? this.#sourceFor(destination) : local.address),
      onClosed: (closed) => {
        this.#udp = this.#udp.filter((each) => each !== closed);
      },
    });
    this.#udp.push(socket);
    return socket;
  }

  async listenTcp(options: TcpListenOptions): Promise<TcpListener> {
    const listener: Listener = { local: this.#bind('tcp', options.local), options };
    this.#listeners.push(listener);
    return {
      local: listener.local,
      close: async () => {
        this.#listeners = this.#listeners.filter((each) => each !== listener);
      },
    };
  }

  connectTcp(options: TcpConnectOptions): TcpConnection {
    const remote = { address: normalizeHost(options.remote.address), port: options.remote.port };
    const address =
      options.localAddress === undefined ? this.#sourceFor(remote.address) : normalizeHost(options.localAddress);
    if (address === undefined)
      return unreachable(options.remote, systemError('ENETUNREACH', `no way to ${remote.address}`));
    if (!this.owns(address)) {
      return unreachable(options.remote, systemError('EADDRNOTAVAIL', `${address} is no address of ${this.name}`));
    }
    if (!(remote.port > 0 && remote.port <= LAST_PORT)) {
      return unreachable(options.remote, systemError('ERR_SOCKET_BAD_PORT', `no port ${remote.port}`));
    }
    const local = { address, port: this.#ephemeralPort('tcp', address, remote) };
    return this.#connection({ role: 'client', local, remote, timeoutMs: options.timeoutMs });
  }

  async listenTls(options: TlsListenOptions): Promise<TlsListener> {
    checkVirtualTls(options.tls);
    let { tls } = options;
    const { scheduler, shownCertificates: shown } = this.#surroundings;
    const listener = await this.listenTcp({
      ...options,
      onConnection: (tcp) =>
        options.onConnection(new VirtualTlsConnection({ tcp, role: 'server', tls, scheduler, shown })),
    });
    return {
      ...listener,
      reconfigure: (next) => {
        checkVirtualTls(next);
        tls = next;
      },
    };
  }

  connectTls(options: TlsConnectOptions): TcpConnection {
    const { name, tls, timeoutMs } = options;
    const { scheduler, shownCertificates: shown } = this.#surroundings;
    const tcp = this.connectTcp(options);
    return new VirtualTlsConnection({ tcp, role: 'client', name, tls, timeoutMs, scheduler, shown });
  }

  lookup(host: string, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    if (host.toLowerCase() === 'localhost') return Promise.resolve([{ address: '127.0.0.1' }]);
    return this.#surroundings.dns.lookup(host, options);
  }

  resolveAddresses(host: string, family: 4 | 6, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    return this.#surroundings.dns.resolveAddresses(host, family, options);
  }

  resolveSrv(name: string, options?: DnsQueryOptions): Promise<readonly SrvRecord[]> {
    return this.#surroundings.dns.resolveSrv(name, options);
  }

  resolveNaptr(name: string, options?: DnsQueryOptions): Promise<readonly NaptrRecord[]> {
    return this.#surroundings.dns.resolveNaptr(name, options);
  }

  localAddresses(): readonly string[] {
    const loopback = this.addresses.some((address) => address.includes(':')) ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
    return [...loopback, ...this.addresses];
  }

  sourceAddressFor(destination: string): string | undefined {
    return this.#sourceFor(normalizeHost(destination));
  }

  /** Whether `address` is one of this host's own, loopback included. */
  owns(address: string): boolean {
    return this.#own.has(address);
  }

  /**
   * The machine stops dead, as on kill -9 with a power cut behind it: nothing more is sent, nobody is told, and what
   * its programs do to their sockets has no effect. Its peers find out by silence.
   */
  kill(): void {
    this.#alive = false;
    this.#life++;
    for (const connection of this.#connections.values()) connection.vanish();
    this.#connections.clear();
    this.#udp = [];
    this.#listeners = [];
  }

  /** The machine is back, with no socket open; segments of old connections are answered with a reset. */
  revive(): void {
    this.#alive = true;
  }

  /** Cuts every TCP connection of this host, with a reset to both ends. */
  resetConnections(): void {
    for (const connection of [...this.#connections.values()]) connection.reset();
  }

  /** A packet has come. Returns whether anybody was there to take it. */
  receive(packet: Packet): boolean {
    if (!this.#alive) return false;
    if (packet.segment !== undefined) return this.#receiveSegment(packet);
    const socket = bestMatch(this.#udp, packet.to);
    socket?.receive(packet.data, packet.from);
    return socket !== undefined;
  }

  #receiveSegment(packet: Packet): boolean {
    const { segment, to, from, data } = packet;
    if (segment === undefined) return false;
    const connection = this.#connections.get(connectionKey(to, from));
    if (connection !== undefined) {
      connection.receive(segment, data);
      return true;
    }
    const listener = segment.kind === 'syn' ? bestMatch(this.#listeners, to) : undefined;
    if (listener !== undefined) {
      listener.options.onConnection(this.#connection({ role: 'server', local: to, remote: from }));
    } else if (segment.kind !== 'rst' && segment.kind !== 'fin') {
      const reset = { kind: 'rst', sequence: -1, attempt: 0 } as const;
      this.#transmit()({ protocol: 'tcp', from: to, to: from, data: new Uint8Array(0), segment: reset });
    }
    return true;
  }

  #connection(ends: {
    readonly role: 'client' | 'server';
    readonly local: SocketAddress;
    readonly remote: SocketAddress;
    readonly timeoutMs?: number;
  }): VirtualTcpConnection {
    const { scheduler, nextSegmentBytes, tcpGiveUpMs } = this.#surroundings;
    const key = connectionKey(ends.local, ends.remote);
    const connection = new VirtualTcpConnection({
      ...ends,
      scheduler,
      nextSegmentBytes,
      giveUpMs: tcpGiveUpMs,
      transmit: this.#transmit(),
      onClosed: (closed) => {
        if (this.#connections.get(key) === closed) this.#connections.delete(key);
      },
    });
    this.#connections.set(key, connection);
    return connection;
  }

  #transmit(): Transmit {
    const life = this.#life;
    return (packet, settled) => {
      if (this.#alive && life === this.#life) this.#surroundings.transmit(this, packet, settled);
    };
  }

  #bind(protocol: ListenProtocol, wanted: SocketAddress): SocketAddress {
    const address = normalizeHost(wanted.address);
    if (ipVersion(address) === 0 || !(isWildcardAddress(address) || this.owns(address))) {
      const cause = systemError('EADDRNOTAVAIL', `${address} is no address of ${this.name}`);
      throw ListenError.fromSystem(protocol, wanted, cause);
    }
    if (wanted.port === 0) return { address, port: this.#ephemeralPort(protocol, address) };
    if (this.#taken(protocol, { address, port: wanted.port })) throw ListenError.portInUse(protocol, wanted);
    return { address, port: wanted.port };
  }

  #taken(protocol: ListenProtocol, wanted: SocketAddress): boolean {
    const bound: readonly { readonly local: SocketAddress }[] = protocol === 'udp' ? this.#udp : this.#listeners;
    return bound.some(({ local }) => local.port === wanted.port && overlap(local.address, wanted.address));
  }

  /** `remote` of a connection: its local port need only make it unlike every other to that socket. */
  #ephemeralPort(protocol: ListenProtocol, address: string, remote?: SocketAddress): number {
    for (let i = FIRST_EPHEMERAL_PORT; i <= LAST_PORT; i++) {
      const local = { address, port: this.#nextEphemeral };
      this.#nextEphemeral = local.port === LAST_PORT ? FIRST_EPHEMERAL_PORT : local.port + 1;
      if (this.#taken(protocol, local)) continue;
      if (remote === undefined || !this.#connections.has(connectionKey(local, remote))) return local.port;
    }
    throw ListenError.portInUse(protocol, { address, port: 0 });
  }

  #sourceFor(destination: string): string | undefined {
    if (this.owns(destination)) return destination;
    const version = ipVersion(destination);
    const route = this.#routes.find(({ to }) => to.has(destination));
    if (route !== undefined) return route.from;
    const kin = this.addresses.filter((address) => ipVersion(address) === version);
    return facingAddress(kin, (address) => address, destination);
  }
}

/** A socket bound to the very address goes before one bound to the wildcard. */
function bestMatch<Bound extends { readonly local: SocketAddress }>(
  bound: readonly Bound[],
  to: SocketAddress,
): Bound | undefined {
  return (
    bound.find(({ local }) => local.port === to.port && local.address === to.address) ??
    bound.find(({ local }) => local.port === to.port && overlap(local.address, to.address))
  );
}

function overlap(a: string, b: string): boolean {
  return a === b || ((isWildcardAddress(a) || isWildcardAddress(b)) && ipVersion(a) === ipVersion(b));
}

function connectionKey(local: SocketAddress, remote: SocketAddress): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

/** A connection that fails as soon as its handlers are set, as the system refuses it on the spot. */
function unreachable(remote: SocketAddress, error: Error): TcpConnection {
  let told = false;
  return {
    local: { address: '', port: 0 },
    remote,
    isOpen: false,
    queuedBytes: 0,
    handle: (handlers) => {
      if (told) return;
      told = true;
      queueMicrotask(() => handlers.onClose(error));
    },
    send: () => {},
    end: () => {},
    destroy: () => {},
  };
}
