/** Every limit of docs/limits.md: the answer beyond it, its counter, and everybody else is served on. */
import { describe, expect } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import { DEFAULT_TENANT } from '../../src/base/tenant.js';
import type { Directory } from '../../src/directory/directory.js';
import { extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import type { PbxStats } from '../../src/pbx/stats.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp, tagIn, type WireMessage } from '../support/raw-peer.js';

const PBX: SocketAddress = { address: '192.0.2.1', port: 5060 };

/** A phone registers and calls another one as if nothing had been. */
async function stillServes(office: Office, world: World): Promise<void> {
  const carol = await office.registered('102');
  const dave = await office.registered('103');
  const { call } = await office.talk(carol, dave);
  call.hangUp();
  await world.advance({ ms: 200 });
  expect(world.log.lines('error')).toEqual([]);
}

/** OPTIONS by UDP with these header lines and that body. */
function options(
  peer: RawPeer,
  headers: readonly string[],
  fields: { readonly uri?: string; readonly body?: string } = {},
) {
  const { uri = `sip:${DOMAIN}`, body = '' } = fields;
  const branch = peer.fresh('z9hG4bK');
  return [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${peer.address}:5060;branch=${branch}`,
    'Max-Forwards: 70',
    'From: <sip:x@y>;tag=1',
    `To: <sip:${DOMAIN}>`,
    `Call-ID: ${branch}`,
    'CSeq: 1 OPTIONS',
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

async function tcp(world: World, address = '10.1.0.9', name = 'client') {
  const machine = world.machines.find((each) => each.name === name) ?? world.host(name, address);
  const connection = machine.ports.network.connectTcp({ remote: PBX, timeoutMs: 5000 });
  const state = { text: '', closed: false };
  connection.handle({
    onData: (data) => {
      state.text += Buffer.from(data).toString('latin1');
    },
    onClose: () => {
      state.closed = true;
    },
  });
  world.use({ close: () => connection.destroy() });
  await world.advance({ ms: 50 });
  return { connection, state };
}

/** Over UDP and TCP; `closes`: whether the connection ends. */
function messageLimit(
  name: string,
  request: { readonly headers?: readonly string[]; readonly uri?: string; readonly body?: string },
  expected: {
    readonly status: number;
    readonly counter: keyof PbxStats['transport']['limited'];
    readonly pbx?: Partial<PbxOptions>;
    readonly closes?: boolean;
    readonly datagram?: boolean;
  },
): void {
  const { status, counter, pbx = {}, closes = false, datagram = true } = expected;
  officeScenario(`${name}: ${status}`, { pbx }, async (office, world) => {
    const peer = await RawPeer.open(world);
    const text = options(peer, request.headers ?? [], request);
    if (datagram) {
      peer.send(text);
      await peer.expect(status);
      expect(office.pbx.stats().transport.limited[counter]).toBe(1);
    }
    const { connection, state } = await tcp(world);
    connection.send(Buffer.from(text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'latin1'));
    await world.advance({ seconds: 2 });
    expect(state.text).toMatch(new RegExp(`^SIP/2\\.0 ${status} `));
    expect(state.closed).toBe(closes);
    expect(office.pbx.stats().transport.limited[counter]).toBe(datagram ? 2 : 1);
    await stillServes(office, world);
  });
}

const headers = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: y`);

describe('messages (RFC 3261 §21.4.11, §21.4.14, §21.5.7)', () => {
  const long = Array.from({ length: 9 }, (_, i) => `X-${i}: ${'y'.repeat(7_400)}`);
  messageLimit(
    'headers of 65,537 bytes',
    { headers: long },
    { status: 513, counter: 'headerBytes', closes: true, datagram: false },
  );
  messageLimit(
    'headers of 5,000 bytes where 4,000 are allowed',
    { headers: headers(500) },
    {
      status: 513,
      counter: 'headerBytes',
      pbx: { limits: { transport: { maxHeaderBytes: 4_000, maxHeaders: 1_000 } } },
      closes: true,
    },
  );
  messageLimit(
    'a Request-URI of 3,000 characters',
    { uri: `sip:${'a'.repeat(3_000)}@${DOMAIN}` },
    {
      status: 414,
      counter: 'startLineBytes',
    },
  );
  messageLimit('1,000 headers', { headers: headers(1_000) }, { status: 513, counter: 'headers' });
  messageLimit(
    'a header line of 9,000 characters',
    { headers: [`X: ${'y'.repeat(9_000)}`] },
    {
      status: 513,
      counter: 'headerLineBytes',
    },
  );
  messageLimit(
    'a body of 300,000 bytes',
    { body: 'x'.repeat(300_000) },
    {
      status: 413,
      counter: 'bodyBytes',
      closes: true,
      datagram: false,
    },
  );
  messageLimit(
    'a body of 2,000 bytes where 1,000 are allowed',
    { body: 'x'.repeat(2_000) },
    {
      status: 413,
      counter: 'bodyBytes',
      pbx: { limits: { transport: { maxBodyBytes: 1_000 } } },
      closes: true,
    },
  );

  officeScenario('a body of 65 parts: 413', {}, async (office, world) => {
    const peer = await RawPeer.open(world);
    const part = '--b\r\nContent-Type: text/plain\r\n\r\nx\r\n';
    const body = (count: number): string =>
      `${part.repeat(count - 1)}--b\r\nContent-Type: application/sdp\r\n\r\n${rawSdp()}\r\n--b--\r\n`;
    peer.dial('101', { body: body(64), contentType: 'multipart/mixed;boundary=b' });
    await peer.expect(407);
    expect(office.pbx.stats().requests.tooManyParts).toBe(0);
    const call = peer.dial('101', { body: body(65), contentType: 'multipart/mixed;boundary=b' });
    call.ackFailure(await peer.expect(413));
    expect(office.pbx.stats().requests.tooManyParts).toBe(1);
    await stillServes(office, world);
  });

  officeScenario(
    'a request whose headers are repeated in the answer: 65,000 bytes of compact Via',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      const via = (i: number): string => `v: SIP/2.0/TCP a${i};branch=z9hG4bK${'x'.repeat(218)}`;
      const { connection, state } = await tcp(world);
      const text = options(
        peer,
        Array.from({ length: 245 }, (_, i) => via(i)),
      );
      expect(text.length).toBeGreaterThan(60_000);
      connection.send(Buffer.from(text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'latin1'));
      await world.advance({ seconds: 1 });
      expect(state.text).toMatch(/^SIP\/2\.0 200 /);
      await stillServes(office, world);
    },
  );
});

describe('connections (docs/limits.md)', () => {
  officeScenario(
    'connections in all',
    { pbx: { limits: { transport: { maxConnections: 2 } } } },
    async (office, world) => {
      const open = [
        await tcp(world, '10.1.0.11', 'a'),
        await tcp(world, '10.1.0.12', 'b'),
        await tcp(world, '10.1.0.13', 'c'),
      ];
      expect(open.map(({ state }) => state.closed)).toEqual([false, false, true]);
      expect(office.pbx.stats().transport.limited.connections).toBe(1);
      await stillServes(office, world);
    },
  );

  officeScenario(
    'connections of one address',
    { pbx: { limits: { transport: { maxConnectionsPerAddress: 2 } } } },
    async (office, world) => {
      const mine = [await tcp(world), await tcp(world), await tcp(world)];
      const other = await tcp(world, '10.1.0.12', 'other');
      expect([...mine, other].map(({ state }) => state.closed)).toEqual([false, false, true, false]);
      const { limited } = office.pbx.stats().transport;
      expect(limited.connections + limited.connectionsPerAddress).toBe(1);
      await stillServes(office, world);
    },
  );
});

/** The extensions of the office behind a directory that takes its time. */
function slowDirectory(world: { readonly current?: World }, delayMs: number): Directory {
  const inner = new MemoryDirectory(
    ['100', '101', '102', '103'].map((number) => extensionFrom({ number, password: `secret-${number}` }, DOMAIN)),
    DEFAULT_TENANT,
  );
  const wait = (): Promise<void> =>
    new Promise((resolve) => void world.current?.ports.scheduler.after(delayMs, resolve));
  return {
    find: async (tenantId, number) => {
      await wait();
      return inner.find(tenantId, number);
    },
    list: (tenantId) => inner.list(tenantId),
  };
}

async function invite(peer: RawPeer, number: string, answer: number): Promise<WireMessage> {
  const call = peer.dial(number, { from: '<sip:100@office.test>' });
  call.authorize(await peer.expect(407), '100', 'secret-100');
  const final = await peer.expect((message) => message.status === answer && message.cseqMethod === 'INVITE');
  if (answer >= 300) call.ackFailure(final);
  return final;
}

describe('requests, dialogs, calls (RFC 3261 §21.5.4)', () => {
  officeScenario(
    'transactions',
    { pbx: { limits: { transactions: { serverTransactions: 1, retryAfterSeconds: 7 } } } },
    async (office, world) => {
      await office.registered('101');
      await world.advance({ seconds: 40 });
      const peer = await RawPeer.open(world);
      const call = peer.dial('101', { from: '<sip:100@office.test>' });
      call.authorize(await peer.expect(407), '100', 'secret-100');
      await peer.expect(180);
      peer.send(options(peer, []));
      const refused = await peer.expect(503);
      expect(refused.header('Retry-After')).toBe('7');
      expect(office.pbx.stats().transactions.refused).toBe(1);
      call.cancel();
      await peer.expect('200 CANCEL');
      call.ackFailure(await peer.expect('487 INVITE'));
      await world.advance({ seconds: 40 });
      peer.send(options(peer, []));
      await peer.expect('200 OPTIONS');
    },
  );

  const holder: { current?: World } = {};
  officeScenario(
    'requests that wait for a slow directory',
    {
      pbx: {
        extensions: undefined as never,
        directory: slowDirectory(holder, 2_000),
        limits: { requests: { maxPending: 3, retryAfterSeconds: 9 } },
      },
    },
    async (office, world) => {
      holder.current = world;
      const peer = await RawPeer.open(world);
      for (let i = 0; i < 4; i++) peer.dial('101', { from: '<sip:100@office.test>' });
      const refused = await peer.expect(503);
      expect(refused.header('Retry-After')).toBe('9');
      expect(office.pbx.stats().requests).toMatchObject({ pending: 3, refused: 1 });
      await world.advance({ seconds: 10 });
      expect(peer.received.filter(({ status }) => status === 407).length).toBeGreaterThanOrEqual(3);
      expect(office.pbx.stats().requests).toMatchObject({ pending: 0, pendingBodyBytes: 0 });
      await office.registered('102');
    },
  );

  officeScenario(
    'bodies of requests that wait',
    {
      pbx: {
        extensions: undefined as never,
        directory: slowDirectory(holder, 2_000),
        limits: { requests: { maxPendingBodyBytes: 300 } },
      },
    },
    async (office, world) => {
      holder.current = world;
      const peer = await RawPeer.open(world);
      for (let i = 0; i < 4; i++) peer.dial('101', { from: '<sip:100@office.test>' });
      await peer.expect(503);
      const { pending, pendingBodyBytes } = office.pbx.stats().requests;
      expect(pendingBodyBytes).toBe(pending * rawSdp().length);
      expect(pendingBodyBytes).toBeLessThanOrEqual(300);
      await world.advance({ seconds: 10 });
      await office.registered('102');
    },
  );

  officeScenario('dialogs', { pbx: { limits: { maxDialogs: 2 } } }, async (office, world) => {
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const { call } = await office.talk(alice, bob);
    const peer = await RawPeer.open(world);
    peer.dial('101');
    expect((await peer.expect(503)).header('Retry-After')).toBeDefined();
    expect(office.pbx.stats().calls.refused).toBe(1);
    call.hangUp();
    await world.advance({ seconds: 1 });
    await stillServes(office, world);
  });

  officeScenario('calls', { pbx: { calls: { maxCalls: 1 } } }, async (office, world) => {
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const { call } = await office.talk(alice, bob);
    const peer = await RawPeer.open(world);
    peer.dial('101');
    await peer.expect(503);
    expect(office.pbx.stats().calls).toMatchObject({ live: 1, refused: 1 });
    call.hangUp();
    await world.advance({ seconds: 1 });
    await stillServes(office, world);
  });

  officeScenario(
    'calls that are admitted together, while a slow directory is asked, are counted too',
    { pbx: { extensions: undefined as never, directory: slowDirectory(holder, 500), calls: { maxCalls: 1 } } },
    async (office, world) => {
      holder.current = world;
      const callee = await office.registered('101');
      const callers = [await office.phone('100'), await office.phone('102')];
      for (const caller of callers) caller.call('101');
      await world.advance({ seconds: 5 });
      expect(callee.calls).toHaveLength(1);
      expect(office.pbx.stats().calls).toMatchObject({ live: 1, refused: 1 });
      for (const { id } of office.pbx.calls) office.pbx.endCall(id);
      await world.advance({ seconds: 40 });
    },
  );

  officeScenario('calls of one extension', { pbx: { calls: { maxCallsPerExtension: 1 } } }, async (office, world) => {
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const { call } = await office.talk(alice, bob);
    const peer = await RawPeer.open(world);
    expect((await invite(peer, '101', 403)).text).toContain('Too Many Calls (at most 1)');
    expect(office.pbx.stats().calls.refusedPerExtension).toBe(1);
    await stillServes(office, world);
    call.hangUp();
    await world.advance({ seconds: 1 });
    alice.call('101');
    await world.until(bob.ringing);
    for (const { id } of office.pbx.calls) office.pbx.endCall(id);
    await world.advance({ seconds: 40 });
  });
});

/** 101 is a raw peer that answers the call of 100 under as many To tags, each with a description of its own. */
async function answersUnder(office: Office, world: World, tags: readonly string[]): Promise<Set<string>> {
  const callee = await RawPeer.open(world);
  await callee.register('101', 'secret-101');
  const alice = await office.registered('100');
  const call = alice.call('101');
  const leg = callee.take(await callee.expect('INVITE'));
  let port = 4000;
  for (const tag of tags) {
    callee.respond(leg.taken as WireMessage, 183, { toTag: tag, body: rawSdp('10.1.0.1', port++) });
    await world.advance({ ms: 30 });
  }
  const heard = new Set<string>();
  for (const entry of world.trace.entries) {
    const text = Buffer.from(entry.data).toString('latin1');
    if (entry.toHost === '100' && text.startsWith('SIP/2.0 183')) heard.add(tagIn(/\r\nTo: (.*)\r\n/.exec(text)?.[1]));
  }
  leg.respond(486);
  await world.until(call.ended());
  await world.advance({ seconds: 40 });
  expect(office.pbx.stats().dialogs).toMatchObject({ live: 0, early: 0 });
  return heard;
}

const sources = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);

describe('early dialogs (RFC 3261 §12.1.1)', () => {
  officeScenario('early dialogs of one INVITE', { pbx: { limits: { maxEarlyDialogs: 3 } } }, async (office, world) => {
    expect((await answersUnder(office, world, sources(5))).size).toBe(3);
    expect(office.pbx.stats().dialogs.refusedEarly).toBe(2);
    await stillServes(office, world);
  });

  officeScenario(
    'early dialogs of one INVITE: a source that says something else each time makes no more',
    { pbx: { limits: { maxEarlyDialogs: 3 } } },
    async (office, world) => {
      expect((await answersUnder(office, world, ['s', 's', 's', 's', 's'])).size).toBe(3);
      expect(office.pbx.stats().dialogs.refusedEarly).toBe(2);
      await stillServes(office, world);
    },
  );

  officeScenario('early dialogs in all', { pbx: { limits: { maxEarlyDialogsInAll: 2 } } }, async (office, world) => {
    expect((await answersUnder(office, world, sources(5))).size).toBe(2);
    expect(office.pbx.stats().dialogs.refusedEarly).toBe(3);
    await stillServes(office, world);
  });
});

describe('registrations and credentials (RFC 3261 §10.3, RFC 7616 §3.4)', () => {
  officeScenario('contacts of one extension', { pbx: { registration: { maxContacts: 1 } } }, async (office, world) => {
    await office.registered('101');
    const second = await office.phone('101');
    const refused = await world.run(() => second.register());
    expect([refused.status, refused.response?.reason]).toEqual([403, 'Too Many Contacts (at most 1)']);
    expect(office.pbx.stats().registrations).toMatchObject({ bindings: 1, refusedContacts: 1 });
    await stillServes(office, world);
  });

  officeScenario('bindings in all', { pbx: { limits: { maxBindings: 1 } } }, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.phone('101');
    const refused = await world.run(() => bob.register());
    expect(refused.status).toBe(503);
    expect(refused.response?.headers.first('Retry-After')).toBe('300');
    expect(office.pbx.stats().registrations).toMatchObject({ bindings: 1, refusedFull: 1 });
    expect((await world.run(() => alice.register())).status).toBe(200);
    expect((await world.run(() => alice.unregister())).status).toBe(200);
    expect((await world.run(() => bob.register())).status).toBe(200);
  });

  officeScenario('nonces', { pbx: { limits: { maxNonces: 2 } } }, async (office, world) => {
    for (const number of ['100', '101', '102']) await office.registered(number);
    expect(office.pbx.stats().nonces).toEqual({ live: 2, forgotten: 1 });
    await office.registered('103');
    expect(world.log.lines('error')).toEqual([]);
  });
});

describe('rate (docs/limits.md)', () => {
  const rate = { perSecond: 2, burst: 5, allow: ['10.1.0.7'] };

  officeScenario('a source that sends too much', { pbx: { limits: { rate } } }, async (office, world) => {
    const peer = await RawPeer.open(world);
    for (let i = 0; i < 20; i++) peer.send(options(peer, []));
    await world.advance({ ms: 100 });
    expect(peer.heard).toEqual(Array.from({ length: 5 }, () => '200 OPTIONS'));
    expect(office.pbx.stats()).toMatchObject({ rate: { sources: 1, refused: 15 }, transport: { refused: 15 } });
    await world.advance({ seconds: 1 });
    for (let i = 0; i < 5; i++) peer.send(options(peer, []));
    await world.advance({ ms: 100 });
    expect(peer.heard).toHaveLength(7);
    await stillServes(office, world);
  });

  officeScenario(
    'one that is allowed, and one that is trusted, have no limit',
    {
      pbx: { limits: { rate }, trustedPeers: ['10.1.0.8'] },
    },
    async (_office, world) => {
      for (const address of ['10.1.0.7', '10.1.0.8']) {
        const peer = await RawPeer.open(world, { address, name: address });
        for (let i = 0; i < 20; i++) peer.send(options(peer, []));
        await world.advance({ ms: 100 });
        expect(peer.heard).toHaveLength(20);
      }
    },
  );

  officeScenario(
    'a thousand sources do not fill the memory, and a phone registers meanwhile',
    { pbx: { limits: { rate: { ...rate, maxSources: 100 } } } },
    async (office, world) => {
      const machine = world.machine({
        name: 'botnet',
        addresses: Array.from({ length: 1_000 }, (_, i) => `10.7.${i >> 8}.${i & 255}`),
      });
      for (const address of machine.host.addresses) {
        const socket = await machine.ports.network.openUdp({
          local: { address, port: 5060 },
          onMessage: () => {},
          onError: () => {},
        });
        socket.send(Buffer.from('REGISTER sip:office.test SIP/2.0\r\n\r\n'), PBX);
        await socket.close();
      }
      await world.advance({ ms: 100 });
      expect(office.pbx.stats().rate?.sources).toBe(100);
      await stillServes(office, world);
    },
  );
});
