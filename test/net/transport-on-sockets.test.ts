import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import { SystemRandom } from '../../src/base/random.js';
import { SystemScheduler } from '../../src/base/scheduler.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import { createRequest, type SipResponse } from '../../src/protocol/sip/message.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import {
  type Hop,
  type ListenPoint,
  type Source,
  type TransportError,
  TransportLayer,
} from '../../src/transport/layer.js';

import { realAuthority } from '../support/certificates.js';

const network = new NodeNetwork();
const random = new SystemRandom();
const addresses = ['127.0.0.1', ...(network.localAddresses().includes('::1') ? ['::1'] : [])];
const open: TransportLayer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((layer) => layer.close()));
});

function scheduler(): SystemScheduler {
  return new SystemScheduler({
    onError: (error) => {
      throw error;
    },
  });
}

async function start(listen: readonly ListenPoint[], clock = scheduler()): Promise<TransportLayer> {
  const layer = new TransportLayer({ network, scheduler: clock, random, logger: silentLogger, listen });
  await layer.start();
  open.push(layer);
  return layer;
}

const points = (host: string): ListenPoint[] => [
  { protocol: 'udp', host, port: 0 },
  { protocol: 'tcp', host, port: 0 },
];

function request(body = '') {
  return createRequest({
    method: 'OPTIONS',
    uri: 'sip:peer.example',
    headers: {
      Via: `SIP/2.0/UDP x.invalid;branch=z9hG4bK${random.token()}`,
      'Max-Forwards': '70',
      From: '<sip:a@a.example>;tag=1',
      To: '<sip:b@b.example>',
      'Call-ID': random.token(),
      CSeq: '1 OPTIONS',
    },
    body,
  });
}

/** Sends one request and waits for its response or error. */
function exchange(layer: TransportLayer, hop: Hop, body?: string) {
  return new Promise<{ response: SipResponse; source: Source } | TransportError>((resolve) => {
    layer.handle({ onRequest: () => {}, onResponse: (response, source) => resolve({ response, source }) });
    layer.outgoing(request(body), hop, { onError: resolve }).send();
  });
}

async function pair(host: string) {
  const [a, b] = [await start(points(host)), await start(points(host))];
  b.handle({
    onRequest: (incoming, source) => b.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    onResponse: () => {},
  });
  const port = (protocol: string): number => b.listening.find((each) => each.protocol === protocol)?.local.port ?? 0;
  return { a, b, port };
}

describe('TransportLayer on real sockets', () => {
  for (const host of addresses) {
    for (const protocol of ['udp', 'tcp'] as const) {
      it(`RFC 3261 §18: request and response by ${protocol} on ${host}`, async () => {
        const { a, port } = await pair(host);
        const outcome = await exchange(a, { protocol, address: host, port: port(protocol) });
        expect(outcome).toMatchObject({ response: { status: 200 }, source: { protocol, remote: { address: host } } });
      });
    }
  }

  it('RFC 3261 §26.2.1: request and response by TLS; a handshake that stalls is ended, and others are served', async () => {
    const authority = await realAuthority();
    const certificates = [await authority.issue({ names: ['127.0.0.1'] })];
    const tls = { certificates, trust: [authority.cert] };
    const listen: ListenPoint[] = [{ protocol: 'tls', host: '127.0.0.1', port: 0 }];
    const layer = (limits = {}): TransportLayer => {
      const made = new TransportLayer({ network, scheduler: scheduler(), random, listen, tls, limits });
      open.push(made);
      return made;
    };
    const [a, b] = [layer(), layer({ handshakeTimeoutMs: 300 })];
    await Promise.all([a.start(), b.start()]);
    b.handle({
      onRequest: (incoming, source) => b.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
      onResponse: () => {},
    });
    const port = b.listening[0]?.local.port ?? 0;
    const stalled = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
    const ended = Promise.all(stalled.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const socket of stalled) socket.resume().write(Buffer.from([0x16, 3, 1]));
    const hop: Hop = { protocol: 'tls', address: '127.0.0.1', port };
    expect(await exchange(a, hop)).toMatchObject({
      response: { status: 200 },
      source: { protocol: 'tls', secure: true },
    });
    await ended;
    await expect.poll(() => b.stats()).toMatchObject({ connections: 1, limited: { handshakeTime: 20 } });
    expect(await exchange(a, hop)).toMatchObject({ response: { status: 200 } });
    const wrong = await exchange(a, { ...hop, name: 'office.example' });
    expect(wrong).toMatchObject({ code: 'SIP_TRANSPORT', protocol: 'tls' });
  });

  it('RFC 3261 §18.1.1: a large request by UDP to a peer without TCP fails as size-switched, and goes by forceProtocol', async () => {
    const { a, port } = await pair('127.0.0.1');
    const b = await start([{ protocol: 'udp', host: '127.0.0.1', port: 0 }]);
    b.handle({
      onRequest: (incoming, source) => b.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
      onResponse: () => {},
    });
    const hop: Hop = { protocol: 'udp', address: '127.0.0.1', port: b.listening[0]?.local.port ?? 0 };
    const large = 'x'.repeat(20_000);
    expect(await exchange(a, hop, large)).toMatchObject({ code: 'SIP_TRANSPORT', sizeSwitched: true });
    expect(await exchange(a, { ...hop, forceProtocol: true }, large)).toMatchObject({ response: { status: 200 } });
    expect(await exchange(a, { ...hop, protocol: 'tcp', port: port('tcp') }, large)).toMatchObject({
      source: { protocol: 'tcp' },
    });
  });

  it('a wildcard listens on every interface address; a taken port opens nothing', async () => {
    const clock = scheduler();
    const a = await start([{ protocol: 'udp', host: '0.0.0.0', port: 0 }], clock);
    const expected = network.localAddresses().filter((address) => !address.includes(':'));
    expect(a.listening.map(({ local }) => local.address).sort()).toEqual([...expected].sort());
    const port = a.listening[0]?.local.port ?? 0;
    const late = new TransportLayer({
      network,
      scheduler: clock,
      random,
      listen: [...points('127.0.0.1'), { protocol: 'udp', host: '127.0.0.1', port }],
    });
    await expect(late.start()).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
    expect(late.listening).toEqual([]);
    await late.close();
    expect(clock.pending).toBe(0);
  });

  it('close() frees ports and timers', async () => {
    const clock = scheduler();
    const a = await start(points('127.0.0.1'), clock);
    const { b, port } = await pair('127.0.0.1');
    await exchange(a, { protocol: 'tcp', address: '127.0.0.1', port: port('tcp') });
    expect(clock.pending).toBeGreaterThan(0);
    const listening = a.listening.map(({ protocol, local }) => ({ protocol, host: local.address, port: local.port }));
    await a.close();
    expect(clock.pending).toBe(0);
    await start(listening);
    await b.close();
  });
});
