export type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from './dns.js';
export { DnsError, ListenError, type ListenProtocol } from './errors.js';
export type {
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpHandlers,
  TcpListener,
  TcpListenOptions,
  UdpOptions,
  UdpSocket,
} from './network.js';
export type { NodeDnsOptions } from './node-dns.js';
export { NodeNetwork } from './node-network.js';
