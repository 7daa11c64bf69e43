export { type CertificateNames, certificateNames, isForDomain, sipDomains } from './certificate-names.js';
export { CertificateError, DnsError, ListenError, type ListenProtocol } from './errors.js';
export type {
  HostAddress,
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
export { NodeNetwork } from './node-network.js';
export type { TlsIdentity, TlsSession, TlsSettings } from './tls-settings.js';
