export { DnsError, ListenError, type ListenProtocol } from './errors.js';
export type {
  HostAddress,
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpHandlers,
  TcpListener,
  TcpListenOptions,
  UdpOptions,
  UdpSocket,
} from './network.js';
export { NodeNetwork } from './node-network.js';
