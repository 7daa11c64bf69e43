import { beforeAll, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../src/net/network.js';
import type { TlsSettings } from '../../src/net/tls-settings.js';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import type { CertificatePair } from '../../src/security/certificates.js';
import { createWorld, type WorldOptions } from '../../src/testing/world.js';
import { virtualAuthority } from '../support/certificates.js';

const SERVER = { address: '192.0.2.1', port: 5061 };
let authority: CertificateAuthority;
let office: CertificatePair;

beforeAll(async () => {
  authority = await virtualAuthority();
  office = await authority.issue({ names: ['office.test'], validDays: 10 });
});

function watch(connection: TcpConnection) {
  const end = { connection, events: [] as string[], text: '' };
  connection.handle({
    onOpen: () => end.events.push('open'),
    onData: (data) => {
      end.text += Buffer.from(data).toString('latin1');
    },
    onClose: (error) => end.events.push(error === undefined ? 'close' : `close: ${error.message}`),
  });
  return end;
}

async function setUp(settings: Partial<TlsSettings> = {}, conditions: Partial<WorldOptions> = {}) {
  const world = createWorld({ seed: 5, ...conditions });
  const client = world.host('client', '192.0.2.2');
  const accepted: ReturnType<typeof watch>[] = [];
  const listener = await world.pbx.host.listenTls({
    local: SERVER,
    tls: { certificates: [office], ...settings },
    onConnection: (connection) => accepted.push(watch(connection)),
    onError: (error) => {
      throw error;
    },
  });
  const dial = (tls: TlsSettings = {}, name = 'office.test') =>
    watch(client.host.connectTls({ remote: SERVER, name, timeoutMs: 5_000, tls: { trust: [authority.cert], ...tls } }));
  const raw = () => watch(client.host.connectTcp({ remote: SERVER, timeoutMs: 5_000 }));
  return { world, client, accepted, listener, dial, raw };
}

describe('virtual TLS', () => {
  test('one round trip more than TCP; early data waits; both ends close without an error', async () => {
    const { world, accepted, dial } = await setUp({}, { delayMs: 10 });
    const client = dial();
    client.connection.send(Buffer.from('early'));
    await world.advance({ ms: 39 });
    expect([client.events, client.connection.isOpen, client.connection.queuedBytes > 0]).toEqual([[], false, true]);
    await world.advance({ ms: 1 });
    expect([client.events, accepted[0]?.events]).toEqual([['open'], []]);
    await world.advance({ ms: 10 });
    expect([accepted[0]?.events, accepted[0]?.text]).toEqual([['open'], 'early']);
    accepted[0]?.connection.send(Buffer.from('reply'));
    accepted[0]?.connection.end();
    await world.advance({ seconds: 1 });
    expect([client.text, client.events, accepted[0]?.events]).toEqual(['reply', ['open', 'close'], ['open', 'close']]);
    expect(world.network.openConnections).toBe(0);
  });

  test('under loss and in small segments it only takes longer', async () => {
    const { world, accepted, dial } = await setUp({}, { loss: 0.3, segmentBytes: [1, 20] });
    const client = dial();
    client.connection.send(Buffer.from('through'));
    await world.until(() => accepted[0]?.text === 'through');
    expect(client.connection.session).toMatchObject({ peer: { dns: ['office.test'] } });
  });

  test('a certificate ends when its time has come', async () => {
    const { world, dial } = await setUp();
    await world.advance({ minutes: 9 * 24 * 60 });
    const good = dial();
    await world.advance({ minutes: 2 * 24 * 60 });
    const late = dial();
    await world.advance({ seconds: 1 });
    expect(good.events).toEqual(['open']);
    expect(late.events).toEqual(['close: the TLS handshake failed: the certificate has expired (ERR_SSL_HANDSHAKE)']);
  });

  test('client certificates: required ones must be good, requested ones may be', async () => {
    const mine = await authority.issue({ names: ['client.test'] });
    const strange = await (await virtualAuthority('strange')).issue({ names: ['client.test'] });
    for (const [clientCertificates, certificates, outcome] of [
      ['require', [], 'refused'],
      ['require', [strange], 'refused'],
      ['require', [mine], 'known'],
      ['request', [], 'nobody'],
      ['request', [strange], 'nobody'],
      ['request', [mine], 'known'],
      ['none', [mine], 'nobody'],
    ] as const) {
      const { world, accepted, dial } = await setUp({ clientCertificates, trust: [authority.cert] });
      dial({ certificates });
      await world.advance({ seconds: 1 });
      const { events, connection } = accepted[0] ?? { events: [], connection: undefined };
      const seen = events[0] !== 'open' ? 'refused' : connection?.session?.peer === undefined ? 'nobody' : 'known';
      expect(seen, `${clientCertificates} ${certificates.length}`).toBe(outcome);
    }
  });

  test.each([
    ['no TLS', 'OPTIONS sip:a SIP/2.0\r\n\r\n', 'wrong version number'],
    ['no record', '\x16{"kind":\r\n\r\n', 'unreadable record'],
    ['another record', '\x16{"kind":"finished"}\r\n\r\n', 'unexpected message'],
    ['a record without end', `\x16${'x'.repeat(5000)}`, 'record too long'],
    ['an alert', '\x16{"kind":"alert","text":"no thanks"}\r\n\r\n', 'no thanks'],
  ])('%s: the handshake fails, and why is told', async (_what, bytes, problem) => {
    const { world, accepted, raw } = await setUp();
    const end = raw();
    end.connection.send(Buffer.from(bytes, 'latin1'));
    await world.advance({ seconds: 1 });
    expect(accepted[0]?.events).toEqual([expect.stringContaining(problem)]);
    expect(world.network.openConnections).toBe(0);
  });

  test('a reset, a destroy or a dead host in the middle leaves nothing behind', async () => {
    for (const act of ['reset', 'destroy', 'kill'] as const) {
      const { world, client, accepted, dial } = await setUp({}, { delayMs: 10 });
      const end = dial();
      await world.advance({ ms: 25 });
      if (act === 'reset') client.host.resetConnections();
      else if (act === 'destroy') end.connection.destroy();
      else world.pbx.kill();
      await world.advance({ seconds: 6 });
      expect(end.events, act).toEqual([expect.stringMatching(/^close/)]);
      if (act !== 'kill') expect(accepted[0]?.events, act).toEqual([expect.stringMatching(/^close/)]);
      expect(client.leaks(), act).toEqual([]);
    }
  });

  test('a listener needs a certificate that can be read', async () => {
    const listen = (tls: TlsSettings) =>
      createWorld({ seed: 1 }).pbx.host.listenTls({ local: SERVER, tls, onConnection: () => {}, onError: () => {} });
    await expect(listen({})).rejects.toMatchObject({ code: 'PBX_CERTIFICATE_INVALID' });
    await expect(listen({ certificates: [{ cert: 'x', key: 'y' }] })).rejects.toMatchObject({
      code: 'PBX_CERTIFICATE_INVALID',
    });
  });
});
