import { connect, createServer, type Server, Socket } from 'node:net';
import { ipVersion, normalizeHost, type SocketAddress } from '../base/ip.js';
import { ListenError } from './errors.js';
import type { TcpConnection, TcpConnectOptions, TcpHandlers, TcpListener, TcpListenOptions } from './network.js';

/** Silence after which the system probes whether the far end still lives. */
const KEEP_ALIVE_DELAY_MS = 60_000;

/** Listens for TCP connections. @throws ListenError */
export function listenNodeTcp(options: TcpListenOptions): Promise<TcpListener> {
  const { local } = options;
  const version = ipVersion(local.address);
  if (version === 0) {
    return Promise.reject(
      new ListenError('PBX_LISTEN_FAILED', { protocol: 'tcp', local }, 'is no IP literal; give an address, not a name'),
    );
  }
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(ListenError.fromSystem('tcp', local, cause)));
    server.listen({ host: local.address, port: local.port, ipv6Only: version === 6 }, () => {
      server.removeAllListeners('error');
      resolve(new NodeTcpListener(server, options));
    });
  });
}

/** Opens a TCP connection; failures come to `onClose`. */
export function connectNodeTcp(options: TcpConnectOptions): TcpConnection {
  const { remote, localAddress, timeoutMs } = options;
  let socket: Socket;
  try {
    socket = connect({
      host: remote.address,
      port: remote.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
      lookup: (host, _options, callback) => callback(null, host, ipVersion(host)),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  } catch (error) {
    // A port out of range or a malformed local address: connect throws at once, but our callers hear by `onClose`.
    socket = new Socket();
    socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }
  const connection = new NodeTcpConnection(socket, remote);
  if (!socket.destroyed) {
    // The socket's own inactivity timer: it runs while connecting, and goes with the socket.
    socket.setTimeout(timeoutMs, () => {
      if (socket.connecting) socket.destroy(new Error(`no connection within ${timeoutMs} ms`));
    });
    socket.once('connect', () => socket.setTimeout(0));
  }
  return connection;
}

class NodeTcpListener implements TcpListener {
  readonly local: SocketAddress;
  readonly #server: Server;

  constructor(server: Server, options: TcpListenOptions) {
    this.#server = server;
    const bound = server.address();
    this.local =
      typeof bound === 'object' && bound !== null ? { address: bound.address, port: bound.port } : options.local;
    server.on('error', options.onError);
    server.on('connection', (socket) => {
      const { remoteAddress, remotePort } = socket;
      if (remoteAddress === undefined || remotePort === undefined) {
        socket.on('error', () => {}); // gone before we looked: nobody is there to be told
        socket.destroy();
        return;
      }
      options.onConnection(new NodeTcpConnection(socket, { address: normalizeHost(remoteAddress), port: remotePort }));
    });
  }

  /** The port is free when this resolves; node:net would wait for the accepted connections too. */
  close(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    return Promise.resolve();
  }
}

class NodeTcpConnection implements TcpConnection {
  readonly remote: SocketAddress;
  readonly #socket: Socket;
  #local: SocketAddress = { address: '', port: 0 };
  #error: Error | undefined;
  #handled = false;

  constructor(socket: Socket, remote: SocketAddress) {
    this.#socket = socket;
    this.remote = remote;
    this.#takeLocal();
    socket.once('connect', () => this.#takeLocal());
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  get local(): SocketAddress {
    return this.#local;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open';
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  handle(handlers: TcpHandlers): void {
    if (this.#handled) return;
    this.#handled = true;
    const { onOpen, onData, onClose } = handlers;
    if (onOpen !== undefined) this.#socket.once('connect', onOpen);
    this.#socket.once('close', () => onClose(this.#error));
    this.#socket.on('data', onData);
  }

  send(data: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(data);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #takeLocal(): void {
    const { localAddress, localPort } = this.#socket;
    if (localAddress !== undefined && localPort !== undefined) {
      this.#local = { address: normalizeHost(localAddress), port: localPort };
    }
  }
}
