export { type CertificateNames, certificateNames, isForDomain, sipDomains } from './certificate-names.js';
export type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from './dns.js';
export { DnsError, ListenError, type ListenProtocol } from './errors.js';
export type {
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpHandlers,
  TcpListener,
  TcpListenOptions,
  TlsConnectOptions,
  TlsListener,
  TlsListenOptions,
  UdpOptions,
  UdpSocket,
} from './network.js';
export type { NodeDnsOptions } from './node-dns.js';
export { NodeNetwork } from './node-network.js';
export type { TlsIdentity, TlsSession, TlsSettings } from './tls-settings.js';
