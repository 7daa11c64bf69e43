import { connect as connectPlain, createServer as createPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TcpConnection, TlsListener } from '../../src/net/network.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import type { TlsSettings } from '../../src/net/tls-settings.js';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import { type CertificatePair, describeCertificate } from '../../src/security/certificates.js';
import { realAuthority } from '../support/certificates.js';

const network = new NodeNetwork();
const LOCAL = { address: '127.0.0.1', port: 0 };
let authority: CertificateAuthority;
let office: CertificatePair;
let branch: CertificatePair;

beforeAll(async () => {
  authority = await realAuthority();
  office = await authority.issue({ names: ['office.example'] });
  branch = await authority.issue({ names: ['branch.example'] });
});

const undo: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

interface Watched {
  readonly connection: TcpConnection;
  text: string;
  /** Resolves when it is open; rejects when it closes before. */
  readonly open: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  /** Resolves when so much text has come. */
  heard(length: number): Promise<string>;
}

function watch(connection: TcpConnection): Watched {
  let [opened, failed, closed] = [() => {}, (_error: Error) => {}, (_error?: Error) => {}];
  let heard = (): void => {};
  const open = new Promise<void>((resolve, reject) => {
    [opened, failed] = [resolve, reject];
  });
  open.catch(() => {});
  const watched: Watched = {
    connection,
    text: '',
    open,
    closed: new Promise((resolve) => {
      closed = resolve;
    }),
    heard: (length) =>
      new Promise((resolve) => {
        heard = () => watched.text.length >= length && resolve(watched.text);
        heard();
      }),
  };
  connection.handle({
    onOpen: () => opened(),
    onData: (data) => {
      watched.text += Buffer.from(data).toString('latin1');
      heard();
    },
    onClose: (error) => {
      failed(error ?? new Error('closed'));
      closed(error);
    },
  });
  undo.push(() => connection.destroy());
  return watched;
}

/** A listener that keeps its connections. */
async function listen(tls: TlsSettings, take: (connection: TcpConnection) => void = () => {}) {
  const accepted: Watched[] = [];
  const waiting: ((watched: Watched) => void)[] = [];
  const listener: TlsListener = await network.listenTls({
    local: LOCAL,
    tls,
    onConnection: (connection) => {
      const watched = watch(connection);
      take(connection);
      accepted.push(watched);
      waiting.shift()?.(watched);
    },
    onError: (error) => {
      throw error;
    },
  });
  undo.push(() => listener.close());
  const next = (): Promise<Watched> => new Promise((resolve) => waiting.push(resolve));
  return { listener, accepted, next };
}

const dial = (listener: TlsListener, name: string, tls: TlsSettings = {}): Watched =>
  watch(
    network.connectTls({ remote: listener.local, name, timeoutMs: 5_000, tls: { trust: [authority.cert], ...tls } }),
  );

describe('TLS on real sockets', () => {
  it('carries data both ways; what is sent before it is open is kept; both sides know what was agreed', async () => {
    const { listener, next } = await listen({ certificates: [office] });
    const accepted = next();
    const client = dial(listener, 'office.example');
    client.connection.send(Buffer.from('early'));
    expect([client.connection.isOpen, client.connection.queuedBytes, client.connection.session]).toEqual([
      false,
      5,
      undefined,
    ]);
    const server = await accepted;
    expect(server.connection.isOpen).toBe(false);
    server.connection.send(Buffer.from('welcome'));
    expect(await server.heard(5)).toBe('early');
    expect(await client.heard(7)).toBe('welcome');
    expect([client.connection.isOpen, server.connection.isOpen]).toEqual([true, true]);
    expect(client.connection.session).toMatchObject({ version: 'TLSv1.3', peer: { dns: ['office.example'] } });
    expect(server.connection.session).toEqual({ version: 'TLSv1.3', cipher: expect.any(String) });
    expect(client.connection.local).toEqual(server.connection.remote);
    server.connection.end();
    expect(await client.closed).toBeUndefined();
    expect(await server.closed).toBeUndefined();
  });

  it('RFC 3261 §26.3.2.1: 1.2 and 1.3 are spoken, 1.1 is refused by our alert', async () => {
    const { listener, next } = await listen({ certificates: [office] });
    const speak = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string>((resolve) => {
        const socket = connectTls({
          ...listener.local,
          host: '127.0.0.1',
          ca: authority.cert,
          servername: 'office.example',
          minVersion: version,
          maxVersion: version,
          // Without it the client itself would refuse to speak 1.1.
          ciphers: 'DEFAULT@SECLEVEL=0',
        });
        undo.push(() => void socket.destroy());
        socket.once('secureConnect', () => resolve(socket.getProtocol() ?? ''));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
    expect(await speak('TLSv1.2')).toBe('TLSv1.2');
    expect(await speak('TLSv1.3')).toBe('TLSv1.3');
    const accepted = next();
    expect(await speak('TLSv1.1')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(await (await accepted).closed).toMatchObject({ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' });
  });

  it('what speaks no TLS is closed, and why is told', async () => {
    const { listener, next } = await listen({ certificates: [office] });
    const accepted = next();
    const plain = connectPlain(listener.local.port, '127.0.0.1');
    undo.push(() => void plain.destroy());
    plain.write('OPTIONS sip:office.example SIP/2.0\r\n\r\n');
    const server = await accepted;
    // What follows the colon is OpenSSL's word for it: "wrong version number", "http request" since 3.5.
    expect(await server.closed).toMatchObject({ message: expect.stringMatching(/^the TLS handshake failed: \w/) });
    expect(server.text).toBe('');
  });

  it('a connection that is destroyed when it comes in costs no handshake', async () => {
    const { listener, accepted } = await listen({ certificates: [office] }, (connection) => connection.destroy());
    const client = dial(listener, 'office.example');
    expect(await client.closed).toBeInstanceOf(Error);
    expect(accepted).toHaveLength(1);
    expect(await accepted[0]?.closed).toBeUndefined();
  });

  it('destroying in the middle of a handshake closes it; a peer that goes away in it is told', async () => {
    const { listener, next } = await listen({ certificates: [office] });
    for (const who of ['we', 'the peer'] as const) {
      const accepted = next();
      const plain = connectPlain(listener.local.port, '127.0.0.1');
      undo.push(() => void plain.destroy());
      plain.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
      const server = await accepted;
      const gone = new Promise((resolve) => plain.once('close', resolve));
      if (who === 'we') server.connection.destroy();
      else plain.destroy();
      await Promise.all([server.closed, gone]);
      expect(server.connection.isOpen).toBe(false);
    }
  });

  it('a server that never answers the handshake: it is given up after its time', async () => {
    const silent = createPlain(() => {}).listen(0, '127.0.0.1');
    undo.push(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const connection = network.connectTls({
      remote: { address: '127.0.0.1', port },
      name: 'office.example',
      timeoutMs: 200,
      tls: {},
    });
    expect(await watch(connection).closed).toMatchObject({ message: 'no connection within 200 ms' });
  });

  it('a server that drips its answer byte by byte is given up after its time all the same', async () => {
    const dripping = createPlain((socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.from([0x16, 3, 3, 0x40, 0]));
      const drip = setInterval(() => socket.write(Buffer.of(2)), 20);
      socket.once('close', () => clearInterval(drip));
    }).listen(0, '127.0.0.1');
    undo.push(() => void dripping.close());
    await new Promise((resolve) => dripping.once('listening', resolve));
    const { port } = dripping.address() as { port: number };
    const remote = { address: '127.0.0.1', port };
    const connection = network.connectTls({ remote, name: 'office.example', timeoutMs: 200, tls: {} });
    expect(await watch(connection).closed).toMatchObject({ message: 'no connection within 200 ms' });
  });

  it('a listener without a usable certificate does not open', async () => {
    const open = (tls: TlsSettings) => listen(tls);
    await expect(open({})).rejects.toMatchObject({ code: 'PBX_CERTIFICATE_INVALID' });
    await expect(open({ certificates: [{ cert: 'x', key: 'y' }] })).rejects.toMatchObject({
      code: 'PBX_CERTIFICATE_INVALID',
    });
    await expect(open({ certificates: [{ cert: office.cert, key: branch.key }] })).rejects.toThrow('certificates[0]');
  });
});

describe('RFC 5922 §7.3: the client and the server’s certificate', () => {
  /** What a server hears of a client that may not trust it. */
  async function attempt(name: string, settings: TlsSettings, certificate = office) {
    const { listener, next } = await listen({ certificates: [certificate] });
    const accepted = next();
    const client = dial(listener, name, settings);
    client.connection.send(Buffer.from('REGISTER with a secret'));
    const server = await accepted;
    const outcome = await Promise.race([
      client.open.then(
        () => 'open',
        () => 'closed',
      ),
    ]);
    if (outcome === 'open') await server.heard(22);
    else await server.closed;
    return { outcome, server, error: outcome === 'open' ? undefined : await client.closed };
  }

  it('for another domain: closed, and nothing was sent', async () => {
    const { outcome, server, error } = await attempt('other.example', {});
    expect([outcome, server.text]).toEqual(['closed', '']);
    expect(error?.message).toBe('the certificate is not for other.example (RFC 5922 §7.3)');
  });

  it('for the parent domain: closed', async () => {
    expect((await attempt('sip.office.example', {})).outcome).toBe('closed');
  });

  it('from an authority that is not trusted, ours or the world’s: closed, and nothing was sent', async () => {
    for (const trust of [[(await realAuthority('other')).cert], undefined]) {
      const { outcome, server } = await attempt('office.example', { trust: trust as string[] });
      expect([outcome, server.text]).toEqual(['closed', '']);
    }
  });

  it('expired: closed', async () => {
    const expired = await authority.issue({ names: ['office.example'], validDays: -0.02 });
    expect((await attempt('office.example', {}, expired)).error).toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });

  it('pinned: taken as it is, and no other', async () => {
    const { fingerprint } = describeCertificate(office.cert);
    const nobody: TlsSettings = { trust: [], pinned: [fingerprint.toLowerCase().replaceAll(':', '')] };
    expect((await attempt('whatever.example', nobody)).outcome).toBe('open');
    const { outcome, server } = await attempt('branch.example', nobody, branch);
    expect([outcome, server.text]).toEqual(['closed', '']);
    // Beside pins the ordinary check goes on.
    expect((await attempt('branch.example', { pinned: [fingerprint] }, branch)).outcome).toBe('open');
  });

  it('verifyServers: false takes anybody, but proves nothing', async () => {
    const { listener } = await listen({ certificates: [branch] });
    const client = dial(listener, 'office.example', { verifyServers: false });
    await client.open;
    expect(client.connection.session?.peer).toBeUndefined();
  });

  it('an address is no server name, but may stand in the certificate', async () => {
    const byAddress = await authority.issue({ names: ['127.0.0.1'] });
    expect((await attempt('127.0.0.1', {}, byAddress)).outcome).toBe('open');
    expect((await attempt('127.0.0.1', {})).outcome).toBe('closed');
  });
});

describe('RFC 5922 §7.8: server names', () => {
  it('each name gets its certificate; others, and clients that name nobody, the first', async () => {
    const { listener } = await listen({ certificates: [office, branch] });
    for (const [name, expected] of [
      ['office.example', 'office.example'],
      ['branch.example', 'branch.example'],
      ['BRANCH.example', 'branch.example'],
      ['other.example', 'office.example'],
      ['127.0.0.1', 'office.example'],
    ] as const) {
      const pinned = [office, branch].map(({ cert }) => describeCertificate(cert).fingerprint);
      const client = dial(listener, name, { pinned });
      await client.open;
      expect(client.connection.session?.peer?.dns, name).toEqual([expected]);
    }
  });
});

describe('RFC 5922 §7.4: the server and a client’s certificate', () => {
  it('require: without one, or with a stranger’s, there is no connection; with a good one its names are known', async () => {
    const settings: TlsSettings = {
      certificates: [office],
      clientCertificates: 'require',
      trust: [authority.cert],
    };
    const { listener, next } = await listen(settings);
    const stranger = await (await realAuthority('other')).issue({ names: ['branch.example'] });
    for (const certificates of [undefined, [stranger]]) {
      const accepted = next();
      const client = dial(listener, 'office.example', certificates === undefined ? {} : { certificates });
      client.connection.send(Buffer.from('hello'));
      const server = await accepted;
      await Promise.all([server.closed, client.closed]);
      expect(server.text).toBe('');
    }
    const accepted = next();
    const client = dial(listener, 'office.example', { certificates: [branch] });
    const server = await accepted;
    await Promise.all([client.open, server.open]);
    expect(server.connection.session?.peer?.dns).toEqual(['branch.example']);
  });

  it('request: without a good one the connection stands, but the peer is nobody', async () => {
    const { listener, next } = await listen({
      certificates: [office],
      clientCertificates: 'request',
      trust: [authority.cert],
    });
    const stranger = await (await realAuthority('other')).issue({ names: ['branch.example'] });
    for (const certificates of [[], [stranger]]) {
      const accepted = next();
      const client = dial(listener, 'office.example', { certificates });
      const server = await accepted;
      await Promise.all([client.open, server.open]);
      expect(server.connection.session?.peer).toBeUndefined();
    }
  });
});

describe('a renewed certificate', () => {
  it('is shown from the next connection on; open ones live on; one that cannot be used changes nothing', async () => {
    const { listener, next } = await listen({ certificates: [office] });
    const renewed = await authority.issue({ names: ['office.example'] });
    const fingerprintSeen = async (): Promise<string> => {
      const socket = connectTls({
        port: listener.local.port,
        host: '127.0.0.1',
        ca: authority.cert,
        servername: 'office.example',
      });
      undo.push(() => void socket.destroy());
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      return socket.getPeerCertificate().fingerprint256;
    };
    const accepted = next();
    const old = dial(listener, 'office.example');
    await old.open;
    expect(await fingerprintSeen()).toBe(describeCertificate(office.cert).fingerprint);
    listener.reconfigure({ certificates: [renewed] });
    expect(await fingerprintSeen()).toBe(describeCertificate(renewed.cert).fingerprint);
    expect(() => listener.reconfigure({ certificates: [{ cert: office.cert, key: renewed.key }] })).toThrow(
      expect.objectContaining({ code: 'PBX_CERTIFICATE_INVALID' }),
    );
    expect(() => listener.reconfigure({})).toThrow('needs a certificate');
    expect(await fingerprintSeen()).toBe(describeCertificate(renewed.cert).fingerprint);
    old.connection.send(Buffer.from('still here'));
    expect(await (await accepted).heard(10)).toBe('still here');
  });
});
