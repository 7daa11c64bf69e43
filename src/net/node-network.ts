import { networkInterfaces } from 'node:os';
import { normalizeHost } from '../base/ip.js';
import type { DnsQueryOptions, HostAddress, NaptrRecord, SrvRecord } from './dns.js';
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
} from './network.js';
import { NodeDns, type NodeDnsOptions } from './node-dns.js';
import { nodeSourceAddress } from './node-route.js';
import { connectNodeTcp, listenNodeTcp } from './node-tcp.js';
import { connectNodeTls, listenNodeTls } from './node-tls.js';
import { openNodeUdp } from './node-udp.js';

/** Real sockets and a real name service. Every socket belongs to whoever opened it. */
export class NodeNetwork implements Network {
  readonly #dns: NodeDns;

  /** Opens nothing. @throws UsageError PBX_INVALID_ARGUMENT for a DNS server that is no address */
  constructor(options: NodeDnsOptions = {}) {
    this.#dns = new NodeDns(options);
  }

  openUdp(options: UdpOptions): Promise<UdpSocket> {
    return openNodeUdp(options);
  }

  listenTcp(options: TcpListenOptions): Promise<TcpListener> {
    return listenNodeTcp(options);
  }

  connectTcp(options: TcpConnectOptions): TcpConnection {
    return connectNodeTcp(options);
  }

  listenTls(options: TlsListenOptions): Promise<TlsListener> {
    return listenNodeTls(options);
  }

  connectTls(options: TlsConnectOptions): TcpConnection {
    return connectNodeTls(options);
  }

  lookup(host: string, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    return this.#dns.lookup(host, options);
  }

  resolveAddresses(host: string, family: 4 | 6, options?: DnsQueryOptions): Promise<readonly HostAddress[]> {
    return this.#dns.resolveAddresses(host, family, options);
  }

  resolveSrv(name: string, options?: DnsQueryOptions): Promise<readonly SrvRecord[]> {
    return this.#dns.resolveSrv(name, options);
  }

  resolveNaptr(name: string, options?: DnsQueryOptions): Promise<readonly NaptrRecord[]> {
    return this.#dns.resolveNaptr(name, options);
  }

  /** Without IPv6 link-local addresses: they mean nothing without a zone, which no SIP or SDP field can carry. */
  localAddresses(): readonly string[] {
    const addresses = new Set<string>();
    for (const infos of Object.values(networkInterfaces())) {
      for (const info of infos ?? []) {
        const address = normalizeHost(info.address);
        if (!isLinkLocalIpv6(address)) addresses.add(address);
      }
    }
    return [...addresses];
  }

  sourceAddressFor(destination: string): string | undefined {
    return nodeSourceAddress(destination);
  }
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocalIpv6(address: string): boolean {
  if (!address.includes(':')) return false;
  const first = Number.parseInt(address.slice(0, 4), 16);
  return (first & 0xffc0) === 0xfe80;
}
