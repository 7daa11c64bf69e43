import { connect, createServer, type Server, Socket } from 'node:net';
import { ipVersion, normalizeHost, type SocketAddress } from '../base/ip.js';
import { ListenError } from './errors.js';
import type { TcpConnection, TcpConnectOptions, TcpListener, TcpListenOptions } from './network.js';
import { KEEP_ALIVE_DELAY_MS, NodeConnection } from './node-connection.js';

/** Listens for TCP connections. @throws ListenError */
export async function listenNodeTcp(options: TcpListenOptions): Promise<TcpListener> {
  const server = await bindServer('tcp', options.local);
  server.on('error', options.onError);
  server.on('connection', (socket) => {
    const remote = remoteOf(socket);
    if (remote !== undefined) options.onConnection(new NodeConnection(socket, remote, 'open'));
  });
  return { local: localOf(server, options.local), close: () => closeServer(server) };
}

/** Opens a TCP connection; failures come to `onClose`. */
export function connectNodeTcp(options: TcpConnectOptions): TcpConnection {
  return connecting(options, 'connect', (target) =>
    connect({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS }),
  );
}

/** What both kinds of outgoing connections give to node's `connect`. */
export interface ConnectTarget {
  readonly host: string;
  readonly port: number;
  readonly lookup: (
    host: string,
    options: unknown,
    callback: (error: null, address: string, family: number) => void,
  ) => void;
  readonly localAddress?: string;
}

/** A connection that opens when its socket tells so, or fails after `timeoutMs`. `open` may throw: `onClose` tells it. */
export function connecting<S extends Socket>(
  options: TcpConnectOptions,
  openEvent: 'connect' | 'secureConnect',
  open: (target: ConnectTarget) => S,
  onOpen: (connection: NodeConnection, socket: S) => void = (connection, socket) => connection.opened(socket),
): TcpConnection {
  const { remote, localAddress, timeoutMs } = options;
  let socket: S;
  try {
    socket = open({
      host: remote.address,
      port: remote.port,
      lookup: (host, _options, callback) => callback(null, host, ipVersion(host)),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  } catch (error) {
    // A port out of range or a malformed local address: connect throws at once, but our callers hear by `onClose`.
    const failed = new Socket();
    const connection = new NodeConnection(failed, remote, 'opening');
    failed.destroy(error instanceof Error ? error : new Error(String(error)));
    return connection;
  }
  const connection = new NodeConnection(socket, remote, 'opening');
  // The socket's own inactivity timer: it runs while connecting, and goes with the socket.
  socket.setTimeout(timeoutMs, () => {
    if (!connection.isOpen) connection.fail(new Error(`no connection within ${timeoutMs} ms`));
  });
  socket.once(openEvent, () => {
    socket.setTimeout(0);
    onOpen(connection, socket);
  });
  return connection;
}

/** A server that listens on that very address. @throws ListenError */
export function bindServer(protocol: 'tcp' | 'tls', local: SocketAddress): Promise<Server> {
  const version = ipVersion(local.address);
  if (version === 0) {
    return Promise.reject(
      new ListenError('PBX_LISTEN_FAILED', { protocol, local }, 'is no IP literal; give an address, not a name'),
    );
  }
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(ListenError.fromSystem(protocol, local, cause)));
    server.listen({ host: local.address, port: local.port, ipv6Only: version === 6 }, () => {
      server.removeAllListeners('error');
      resolve(server);
    });
  });
}

/** The address that it is bound to. */
export function localOf(server: Server, asked: SocketAddress): SocketAddress {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { address: bound.address, port: bound.port } : asked;
}

/** The port is free when this resolves; node:net would wait for the accepted connections too. */
export function closeServer(server: Server): Promise<void> {
  if (server.listening) server.close();
  return Promise.resolve();
}

/** Who has connected; undefined if it is gone already, and then the socket is closed. */
export function remoteOf(socket: Socket): SocketAddress | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined) {
    return { address: normalizeHost(remoteAddress), port: remotePort };
  }
  socket.on('error', () => {}); // gone before we looked: nobody is there to be told
  socket.destroy();
  return undefined;
}
