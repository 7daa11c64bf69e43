import { beforeAll, describe, expect, it } from 'vitest';
import type { TlsSettings } from '../../src/net/tls-settings.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import { type CertificatePair, describeCertificate } from '../../src/security/certificates.js';
import type { Machine } from '../../src/testing/machine.js';
import { createWorld, type World, type WorldOptions } from '../../src/testing/world.js';
import type { Hop, ListenPoint } from '../../src/transport/layer.js';
import { virtualAuthority } from '../support/certificates.js';
import { element, rawListener, rawTcp, request, TCP_5060, UDP_5060, wire } from './support.js';

const PBX = { address: '192.0.2.1', port: 5061 };
const PEER = { address: '192.0.2.20', port: 5061 };
const TLS_5061: ListenPoint = { protocol: 'tls', host: '0.0.0.0', port: 5061 };
const TO_PEER: Hop = { protocol: 'tls', ...PEER, name: 'peer.test' };
const VIA = 'SIP/2.0/TLS 192.0.2.20:5061;branch=z9hG4bK1';

let authority: CertificateAuthority;
let office: CertificatePair;
let peerPair: CertificatePair;
let ofPbx: TlsSettings;
let ofPeer: TlsSettings;

beforeAll(async () => {
  authority = await virtualAuthority();
  office = await authority.issue({ names: ['office.test', '192.0.2.1'] });
  peerPair = await authority.issue({ names: ['peer.test', 'second.test'] });
  ofPbx = { certificates: [office], trust: [authority.cert] };
  ofPeer = { certificates: [peerPair], trust: [authority.cert] };
});

type Options = NonNullable<Parameters<typeof element>[2]>;

function setUp(options: Partial<WorldOptions> = {}): { readonly world: World; readonly peer: Machine } {
  const world = createWorld({ seed: 17, ...options });
  return { world, peer: world.host('peer', PEER.address) };
}

/** Two elements with TLS; the second answers 200 to everything. */
async function pair(own: Options = {}, peers: Options = {}, worldOptions: Partial<WorldOptions> = {}) {
  const { world, peer } = setUp(worldOptions);
  const a = await element(world, world.pbx, { listen: [UDP_5060, TCP_5060, TLS_5061], tls: ofPbx, ...own });
  const b = await element(world, peer, {
    listen: [TCP_5060, TLS_5061],
    tls: ofPeer,
    answer: (incoming, source) => b.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    ...peers,
  });
  return { world, peer, a, b };
}

describe('SIP over TLS', () => {
  it.each([1460, [1, 40]] as const)(
    'RFC 3261 §18, §26.2.1: request and response, Via, Contact and source say so (segments of %j)',
    async (segmentBytes) => {
      const { world, a, b } = await pair({}, {}, { segmentBytes });
      a.send(request('INVITE'), TO_PEER);
      await world.advance({ seconds: 1 });
      const { request: incoming, source } = b.requests[0] ?? {};
      expect(incoming?.topVia).toMatchObject({ transport: 'TLS', host: '192.0.2.1', port: 5061 });
      expect(source).toMatchObject({ protocol: 'tls', secure: true, flow: { protocol: 'tls' } });
      expect(a.responses[0]?.response.status).toBe(200);
      expect(a.responses[0]?.source).toMatchObject({ protocol: 'tls', secure: true, remote: PEER });
      for (const peer of [TO_PEER, a.responses[0]?.source ?? TO_PEER]) {
        expect(a.layer.contactFor(peer)).toEqual({
          host: '192.0.2.1',
          port: 5061,
          params: [{ name: 'transport', value: 'tls' }],
        });
      }
      expect(a.layer.listening.map(({ protocol }) => protocol)).toContain('tls');
      expect([a.layer.stats().connections, b.layer.stats().connections]).toEqual([1, 1]);
    },
  );

  it('RFC 3261 §18.1.1: an open connection serves further requests to the same domain', async () => {
    const { world, a, b } = await pair();
    for (let i = 0; i < 3; i++) a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    a.send(request(), { ...TO_PEER, name: 'PEER.test' });
    await world.advance({ seconds: 1 });
    expect(a.responses).toHaveLength(4);
    expect(b.layer.stats().connections).toBe(1);
  });

  it('a listen point for TLS without a certificate is refused before anything opens', async () => {
    const { world } = setUp();
    await expect(element(world, world.pbx, { listen: [UDP_5060, TLS_5061] })).rejects.toMatchObject({
      code: 'PBX_INVALID_ARGUMENT',
      message: 'listen[1]: TLS needs a certificate and its key in tls.certificates',
    });
  });

  it('without a TLS listener requests still go out by TLS', async () => {
    const { world, a } = await pair({ listen: [UDP_5060], tls: { trust: [authority.cert] } });
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.responses[0]?.response.status).toBe(200);
  });

  it('close() leaves no socket and no timer, handshakes under way included', async () => {
    const { world, peer, a, b } = await pair();
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5_000 }));
    b.send(request(), { protocol: 'tls', ...PBX, name: 'office.test' });
    await world.advance({ ms: 1 });
    await world.run(() => Promise.all([a.layer.close(), b.layer.close()]));
    await world.advance({ seconds: 1 });
    expect(world.leaks()).toEqual([]);
  });
});

describe('RFC 5922 §7.3: the domain that was looked up', () => {
  it.each([
    ['another domain', { name: 'other.test' }, 'the certificate is not for other.test'],
    ['no domain, so the address', {}, 'the certificate is not for 192.0.2.20'],
  ])('%s: refused, and no SIP has crossed the network', async (_what, name, problem) => {
    const { world, a, b } = await pair();
    a.send(request(), { protocol: 'tls', ...PEER, ...name });
    await world.advance({ seconds: 1 });
    expect(a.errors.map(({ message }) => message)).toEqual([expect.stringContaining(problem)]);
    expect(a.errors[0]).toMatchObject({ code: 'SIP_TRANSPORT', protocol: 'tls' });
    expect(b.requests).toEqual([]);
    expect(world.trace.entries.some(({ data }) => Buffer.from(data).includes('SIP/2.0'))).toBe(false);
    expect([a.layer.stats().failedHandshakes, b.layer.stats().failedHandshakes]).toEqual([1, 1]);
  });

  it('one that nobody whom we trust has signed: refused; pinned: taken', async () => {
    const { world, a } = await pair({ tls: { ...ofPbx, trust: [(await virtualAuthority()).cert] } });
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.errors[0]?.message).toContain('unable to get the certificate of its issuer');
    const { fingerprint } = describeCertificate(peerPair.cert);
    a.layer.reconfigure({ tls: { ...ofPbx, trust: [], pinned: [fingerprint] } });
    a.send(request(), { ...TO_PEER, name: 'whatever.test' });
    await world.advance({ seconds: 1 });
    expect(a.responses[0]?.response.status).toBe(200);
  });

  it('a connection that is good for one domain is not used for another at the same address', async () => {
    const { world, a, b } = await pair();
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    a.send(request(), { ...TO_PEER, name: 'other.test' });
    a.send(request(), { ...TO_PEER, name: 'second.test' });
    await world.advance({ seconds: 1 });
    expect(a.errors).toHaveLength(1);
    expect(a.responses).toHaveLength(2);
    expect(new Set(b.requests.map(({ source }) => source.flow.connectionId)).size).toBe(2);
  });

  it('§7.8: a server with several certificates shows the one that was asked for', async () => {
    const second = await authority.issue({ names: ['virtual.test'] });
    const { world, a } = await pair({}, { tls: { ...ofPeer, certificates: [peerPair, second] } });
    a.send(request(), { ...TO_PEER, name: 'virtual.test' });
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.responses).toHaveLength(2);
  });
});

describe('connections that came in', () => {
  it('RFC 5626 §5.3: carry requests by their flow, as plain data', async () => {
    const { world, a, b } = await pair({}, { tls: { trust: [authority.cert] }, listen: [TCP_5060] });
    b.send(request('REGISTER'), { protocol: 'tls', ...PBX, name: 'office.test' });
    await world.advance({ seconds: 1 });
    const flow = a.requests[0]?.source.flow;
    if (flow === undefined) throw new Error('no request came');
    a.send(request('NOTIFY'), { protocol: 'tls', ...PEER, flow: JSON.parse(JSON.stringify(flow)) });
    await world.advance({ seconds: 1 });
    expect(b.requests.map(({ request: each }) => each.method)).toEqual(['NOTIFY']);
    expect(a.responses[0]?.response.status).toBe(200);
  });

  /** A peer that says where it listens, and what becomes of a request to there. */
  async function aliased(peers: TlsSettings, asked: TlsSettings['clientCertificates'], via: string) {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, {
      listen: [TLS_5061],
      tls: { ...ofPbx, ...(asked === undefined ? {} : { clientCertificates: asked }) },
    });
    const connection = peer.host.connectTls({ remote: PBX, name: 'office.test', timeoutMs: 5_000, tls: peers });
    const client = rawTcp(connection);
    client.send(wire(via));
    await world.advance({ seconds: 1 });
    expect(a.requests).toHaveLength(1);
    a.send(request('MESSAGE'), TO_PEER);
    await world.advance({ seconds: 1 });
    return { a, text: client.state.text };
  }

  it('RFC 5923 §8: a peer that has proved its domain and says alias gets requests to it by its own connection', async () => {
    const { a, text } = await aliased(ofPeer, 'request', `${VIA};alias`);
    expect(text).toContain('MESSAGE sip:100@peer.example SIP/2.0');
    expect(a.errors).toEqual([]);
  });

  it.each([
    ['without saying alias', () => ofPeer, 'request', VIA],
    ['for another port', () => ofPeer, 'request', 'SIP/2.0/TLS 192.0.2.20:5099;branch=z9hG4bK1;alias'],
    ['without a certificate', () => ({ trust: [authority.cert] }), 'request', `${VIA};alias`],
    ['when nobody was asked for one', () => ofPeer, 'none', `${VIA};alias`],
    [
      'with the certificate of another domain',
      () => ({ ...ofPeer, certificates: [office] }),
      'request',
      `${VIA};alias`,
    ],
  ] as const)('RFC 5923 §9: %s it does not', async (_what, settings, asked, via) => {
    const { a, text } = await aliased(settings(), asked, via);
    expect(text).toBe('');
    // Nobody listens at the peer's own port here.
    expect(a.errors).toHaveLength(1);
  });

  it('RFC 3261 §18.2.2: if the connection is gone, the response goes by a new one to the sent-by, which must prove its name', async () => {
    const { world, peer, a, b } = await pair();
    for (const host of ['peer.test', 'liar.test']) {
      const toPbx = { remote: PBX, name: 'office.test', timeoutMs: 5_000, tls: ofPeer };
      const client = rawTcp(peer.host.connectTls(toPbx));
      client.send(wire(`SIP/2.0/TLS ${host}:5061;branch=z9hG4bK${host}`));
      await world.advance({ seconds: 1 });
      client.connection.destroy();
      await world.advance({ seconds: 1 });
      const { request: incoming, source } = a.requests.at(-1) ?? {};
      if (incoming === undefined || source === undefined) throw new Error('no request came');
      a.layer.sendResponse(responseTo(incoming, 603, { toTag: 't' }), source);
      await world.advance({ seconds: 1 });
    }
    // The peer has sent nothing itself, so both are nobody's there: but only one has arrived at all.
    expect(b.layer.stats().dropped + b.responses.length).toBe(1);
    expect(a.layer.stats().failedHandshakes).toBe(1);
  });
});

describe('limits on TLS connections', () => {
  it('a handshake that stalls, or drips a byte a second, is ended after 10 s; others are served', async () => {
    const { world, peer, a, b } = await pair({
      answer: (incoming, source) => a.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    const dial = () => rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5_000 }));
    const [silent, dripping] = [dial(), dial()];
    for (let i = 0; i < 9; i++) {
      dripping.send('\x16');
      await world.advance({ seconds: 1 });
    }
    expect([silent.state.closed, dripping.state.closed]).toEqual([false, false]);
    b.send(request(), { protocol: 'tls', ...PBX, name: 'office.test' });
    await world.advance({ seconds: 2 });
    expect([silent.state.closed, dripping.state.closed]).toEqual([true, true]);
    expect(b.responses[0]?.response.status).toBe(200);
    expect(a.layer.stats()).toMatchObject({ connections: 1, limited: { handshakeTime: 2 } });
  });

  it('handshakes under way count among the connections, by address and in all, TCP and TLS together', async () => {
    const limits = { maxConnections: 4, maxConnectionsPerAddress: 3 };
    const { world, peer, a } = await pair({ limits });
    const other = world.host('other', '192.0.2.30');
    const dial = (from: Machine, port: number) =>
      rawTcp(from.host.connectTcp({ remote: { address: PBX.address, port }, timeoutMs: 5_000 }));
    const first = [dial(peer, 5061), dial(peer, 5060), dial(peer, 5061)];
    await world.advance({ ms: 100 });
    const fourth = dial(peer, 5061);
    await world.advance({ ms: 100 });
    const elsewhere = [dial(other, 5061), dial(other, 5060)];
    await world.advance({ ms: 100 });
    expect(first.map(({ state }) => state.closed)).toEqual([false, false, false]);
    expect(fourth.state.closed).toBe(true);
    expect(elsewhere.map(({ state }) => state.closed)).toEqual([false, true]);
    expect(a.layer.stats()).toMatchObject({
      refused: 2,
      connections: 4,
      limited: { connections: 1, connectionsPerAddress: 1 },
    });
  });

  it('what speaks no TLS is closed at once, and counted', async () => {
    const { world, peer, a } = await pair();
    const plain = rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5_000 }));
    plain.send(wire(VIA));
    await world.advance({ seconds: 1 });
    expect(plain.state.closed).toBe(true);
    expect(a.requests).toEqual([]);
    expect(a.layer.stats()).toMatchObject({ failedHandshakes: 1, malformed: 0 });
  });

  it('admit is asked before the handshake', async () => {
    const asked: unknown[] = [];
    const { world, b } = await pair({
      admit: (source) => {
        asked.push(source.protocol);
        return false;
      },
    });
    b.send(request(), { protocol: 'tls', ...PBX, name: 'office.test' });
    await world.advance({ seconds: 1 });
    expect(asked).toEqual(['tls']);
    expect(b.errors).toHaveLength(1);
  });

  it('a server that takes the connection and never answers the handshake: told after the time for connecting', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, { listen: [TLS_5061], tls: ofPbx });
    await rawListener(peer, PEER);
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 4 });
    expect(a.errors).toEqual([]);
    await world.advance({ seconds: 2 });
    expect(a.errors.map(({ message }) => message)).toEqual([expect.stringContaining('no connection within 5000 ms')]);
  });
});
