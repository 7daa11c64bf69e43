import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import { certificateNames, isForDomain } from './certificate-names.js';
import { systemCode } from './errors.js';
import type { TcpConnection, TlsConnectOptions, TlsListener, TlsListenOptions } from './network.js';
import { KEEP_ALIVE_DELAY_MS, NodeConnection } from './node-connection.js';
import { bindServer, closeServer, connecting, localOf, remoteOf } from './node-tcp.js';
import { clientContext, type ServerContexts, serverContexts, TLS_RULES } from './tls-context.js';
import type { TlsSession, TlsSettings } from './tls-settings.js';

/** Listens for TLS connections. @throws ListenError, CertificateError */
export async function listenNodeTls(options: TlsListenOptions): Promise<TlsListener> {
  let handshakes = new Handshakes(options.tls);
  const server = await bindServer('tls', options.local);
  server.on('error', options.onError);
  server.on('connection', (socket) => {
    const remote = remoteOf(socket);
    if (remote === undefined) return;
    const connection = new NodeConnection(socket, remote, 'opening');
    options.onConnection(connection);
    if (!socket.destroyed) handshakes.begin(socket, connection);
  });
  return {
    local: localOf(server, options.local),
    close: () => closeServer(server),
    reconfigure: (tls) => {
      handshakes = new Handshakes(tls);
    },
  };
}

/** Opens a TLS connection; failures come to `onClose`. */
export function connectNodeTls(options: TlsConnectOptions): TcpConnection {
  const { name, tls } = options;
  const pinned = (tls.pinned ?? []).map(plainFingerprint);
  const verify = tls.verifyServers !== false;
  return connecting(
    options,
    'secureConnect',
    (target) => {
      const socket = connect({
        ...target,
        secureContext: clientContext(tls),
        ...TLS_RULES,
        // Server names are names; an address is asked for by nobody (RFC 6066 §3).
        ...(ipVersion(name) === 0 ? { servername: name } : {}),
        // A pinned certificate need not come from anybody we trust: it is looked at below.
        rejectUnauthorized: verify && pinned.length === 0,
        checkServerIdentity: (_host, { raw }) =>
          isForDomain(certificateNames(new X509Certificate(raw)), name)
            ? undefined
            : new Error(`the certificate is not for ${name} (RFC 5922 §7.3)`),
      });
      return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS) as TLSSocket;
    },
    (connection, socket) => {
      const certificate = socket.getPeerX509Certificate();
      const isPinned = certificate !== undefined && pinned.includes(plainFingerprint(certificate.fingerprint256));
      if (socket.authorized || isPinned) connection.opened(socket, sessionOf(socket, certificate));
      else if (!verify) connection.opened(socket, sessionOf(socket, undefined));
      else connection.fail(new Error(`the certificate is not good for ${name}: ${String(socket.authorizationError)}`));
    },
  );
}

/** The handshakes of one set of certificates. Connections begun before a change are finished with the old one. */
class Handshakes {
  readonly #server: ReturnType<typeof createServer>;
  readonly #underWay = new Map<string, NodeConnection>();

  /** @throws CertificateError */
  constructor(settings: TlsSettings) {
    const contexts: ServerContexts = serverContexts(settings);
    const { clientCertificates = 'none' } = settings;
    const first = settings.certificates?.[0];
    // It never listens: connections are given to it one by one, when they have been let in.
    this.#server = createServer({
      ...TLS_RULES,
      ...(first === undefined ? {} : { cert: first.cert, key: first.key }),
      ...(settings.trust === undefined ? {} : { ca: [...settings.trust] }),
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'require',
      SNICallback: (name, done) => done(null, contexts.of(name)),
    });
    this.#server.on('secureConnection', (socket) => {
      const connection = this.#take(socket);
      if (connection === undefined) socket.destroy();
      else
        connection.opened(socket, sessionOf(socket, socket.authorized ? socket.getPeerX509Certificate() : undefined));
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.#take(socket)?.fail(handshakeError(error));
      socket.destroy();
    });
  }

  begin(socket: Socket, connection: NodeConnection): void {
    const key = keyOf(connection.remote);
    this.#underWay.set(key, connection);
    socket.once('close', () => {
      if (this.#underWay.get(key) === connection) this.#underWay.delete(key);
    });
    this.#server.emit('connection', socket);
  }

  /** The connection that a deciphering socket belongs to: node tells only its peer. */
  #take(socket: TLSSocket): NodeConnection | undefined {
    const remote = socket.remotePort === undefined ? undefined : remoteOf(socket);
    if (remote === undefined) return undefined;
    const connection = this.#underWay.get(keyOf(remote));
    this.#underWay.delete(keyOf(remote));
    return connection;
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}

/** OpenSSL's texts name its source files; the reason alone is for people. */
function handshakeError(error: Error): Error {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return Object.assign(new Error(`the TLS handshake failed: ${reason}`, { cause: error }), { code: systemCode(error) });
}

function sessionOf(socket: TLSSocket, certificate: X509Certificate | undefined): TlsSession {
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(certificate === undefined ? {} : { peer: certificateNames(certificate) }),
  };
}

function plainFingerprint(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}
