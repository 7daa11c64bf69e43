import { describe, expect, it } from 'vitest';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { createWorld, type WorldOptions } from '../../src/testing/world.js';
import type { FlowRef, TransportLayerOptions } from '../../src/transport/layer.js';
import { element, rawListener, rawTcp, rawUdp, request, TCP_5060, wire } from './support.js';

const PBX = { address: '192.0.2.1', port: 5060 };
const PEER = { address: '192.0.2.20', port: 5060 };
const TO_PEER = { protocol: 'tcp', ...PEER } as const;

function setUp(options: Partial<WorldOptions> = {}) {
  const world = createWorld({ seed: 11, ...options });
  return { world, peer: world.host('peer', PEER.address) };
}

/** A PBX that answers 200 to everything, and a bare connection to it. */
async function served(options: Partial<TransportLayerOptions> = {}, worldOptions: Partial<WorldOptions> = {}) {
  const { world, peer } = setUp(worldOptions);
  const a = await element(world, world.pbx, {
    answer: (incoming, source) => a.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    ...options,
  });
  const dial = () => rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5000 }));
  return { world, peer, a, dial };
}

const VIA = 'SIP/2.0/TCP 192.0.2.20:5060;branch=z9hG4bK1';
const answers = (text: string): string[] => text.match(/^SIP\/2\.0 \d{3}/gm) ?? [];

describe('SIP over TCP', () => {
  it('RFC 3261 §18.3: messages in one segment, cut anywhere, are framed; the answers come on the same connection (§18.2.2)', async () => {
    const { world, a, dial } = await served({}, { segmentBytes: [1, 40] });
    const client = dial();
    client.send(wire(VIA) + wire(VIA, { method: 'INFO' }) + wire(VIA));
    await world.advance({ seconds: 1 });
    expect(a.requests.map(({ request: each }) => each.method)).toEqual(['OPTIONS', 'INFO', 'OPTIONS']);
    expect(answers(client.state.text)).toEqual(['SIP/2.0 200', 'SIP/2.0 200', 'SIP/2.0 200']);
    expect(a.requests[0]?.source).toMatchObject({ protocol: 'tcp', local: PBX, remote: client.connection.local });
    expect(a.requests[0]?.source.flow.connectionId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('RFC 5626 §4.4.1: CRLF CRLF is answered with CRLF', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send('\r\n\r\n');
    await world.advance({ seconds: 1 });
    expect(client.state.text).toBe('\r\n');
    expect(a.layer.stats()).toMatchObject({ keepAlives: 1, received: 0, connections: 1 });
  });

  it('RFC 3261 §18.1.1: one connection serves all requests to a peer, and its responses', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer, {
      answer: (incoming, source) => b.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    for (let i = 0; i < 3; i++) a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.responses).toHaveLength(4);
    expect(new Set(b.requests.map(({ source }) => source.flow.connectionId)).size).toBe(1);
    expect([a.layer.stats().connections, b.layer.stats().connections]).toEqual([1, 1]);
    expect(b.requests[0]?.request.topVia).toMatchObject({ transport: 'TCP', host: '192.0.2.1', port: 5060 });
  });

  it('a connection that the peer opened carries requests back to it, by its flow and by its address', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer);
    b.send(request('REGISTER'), { protocol: 'tcp', ...PBX });
    await world.advance({ seconds: 1 });
    const { flow, remote } = a.requests[0]?.source ?? { flow: undefined, remote: PEER };
    a.send(request('NOTIFY'), {
      protocol: 'tcp',
      ...PEER,
      ...(flow === undefined ? {} : { flow: JSON.parse(JSON.stringify(flow)) }),
    });
    a.send(request('MESSAGE'), { protocol: 'tcp', address: remote.address, port: remote.port });
    await world.advance({ seconds: 1 });
    expect(b.requests.map(({ request: each }) => each.method)).toEqual(['NOTIFY', 'MESSAGE']);
    expect(a.layer.stats().connections).toBe(1);
    // What the other end tells as Contact is where it listens, not the port that it happened to connect from.
    expect(b.layer.contactFor(b.requests[0]?.source ?? TO_PEER)).toMatchObject({ host: '192.0.2.20', port: 5060 });
  });

  it('RFC 3261 §18.2.2: if the connection is gone, the response opens one to the source address and the port of the Via', async () => {
    const { world, peer, a, dial } = await served({ listen: [TCP_5060] });
    const { accepted } = await rawListener(peer, { address: PEER.address, port: 5099 });
    const client = dial();
    client.send(wire('SIP/2.0/TCP phone.invalid:5099;branch=z9hG4bK1;rport'));
    await world.advance({ seconds: 1 });
    client.connection.destroy();
    await world.advance({ seconds: 1 });
    const { request: incoming, source } = a.requests[0] ?? {};
    if (incoming === undefined || source === undefined) throw new Error('no request came');
    a.layer.sendResponse(responseTo(incoming, 603, { toTag: 't' }), source);
    await world.advance({ seconds: 1 });
    expect(accepted).toHaveLength(1);
    expect(answers(accepted[0]?.state.text ?? '')).toEqual(['SIP/2.0 603']);
  });

  it('a response that cannot be delivered comes to onError', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send(wire('SIP/2.0/TCP 192.0.2.20:5098;branch=z9hG4bK1'));
    await world.advance({ seconds: 1 });
    client.connection.destroy();
    await world.advance({ seconds: 1 });
    const { request: incoming, source } = a.requests[0] ?? {};
    if (incoming === undefined || source === undefined) throw new Error('no request came');
    const errors: string[] = [];
    a.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source, (error) => errors.push(error.message));
    await world.advance({ seconds: 6 });
    expect(errors).toEqual([expect.stringContaining('tcp://192.0.2.20:5098: nobody listens there')]);
  });

  it('RFC 3261 §18.4: a refused connection is told to every request that waits for it', async () => {
    const { world } = setUp();
    const a = await element(world, world.pbx);
    for (const method of ['INVITE', 'OPTIONS', 'ACK']) a.send(request(method), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.errors.map(({ unsent }) => unsent)).toEqual([true, true, true]);
    expect(a.layer.stats()).toMatchObject({ failed: 3, connections: 0 });
  });

  it('RFC 3261 §17.1.4: a connection that closes is told to those still waiting, not to those answered or released', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer, {
      answer: (incoming, source) => {
        if (incoming.method === 'OPTIONS') b.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source);
        if (incoming.method === 'INVITE') b.layer.sendResponse(responseTo(incoming, 180, { toTag: 't' }), source);
      },
    });
    const closed: FlowRef[] = [];
    a.layer.onFlowClosed((flow) => closed.push(flow));
    a.send(request('OPTIONS'), TO_PEER); // answered
    a.send(request('INVITE'), TO_PEER); // rings
    a.send(request('INFO'), TO_PEER).release(); // given up
    a.send(request('ACK'), TO_PEER); // never answered
    await world.advance({ seconds: 1 });
    expect(a.responses.map(({ response }) => response.status).sort()).toEqual([180, 200]);
    const { flow } = b.requests[0]?.source ?? {};
    if (flow !== undefined) b.layer.closeFlow(flow);
    await world.advance({ seconds: 1 });
    // What rings has come to the peer.
    expect(a.errors.map(({ unsent }) => unsent)).toEqual([false]);
    expect(closed).toMatchObject([{ protocol: 'tcp', remote: PEER, connectionId: expect.any(String) }]);
    a.send(request(), TO_PEER);
    await world.advance({ seconds: 1 });
    expect(a.errors).toHaveLength(1);
    expect(a.layer.stats().connections).toBe(1);
  });

  it('a stored flow of an earlier life matches no new connection', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer);
    b.send(request('REGISTER'), { protocol: 'tcp', ...PBX });
    await world.advance({ seconds: 1 });
    const flow: FlowRef = { protocol: 'tcp', local: PBX, remote: PEER, connectionId: '0123456789abcdef' };
    a.send(request('NOTIFY'), { ...TO_PEER, flow });
    await world.advance({ seconds: 1 });
    // No connection is tried to the far end's port of that time: nobody listens there, or somebody else does.
    expect(a.errors.map((error) => error.message).join()).toContain('the connection has closed');
    expect(b.requests).toEqual([]);
    expect(a.layer.stats().connections).toBe(1);
  });
});

describe('limits on connections', () => {
  it('per address and in all; the others are served on', async () => {
    const { world, a, peer, dial } = await served({ limits: { maxConnectionsPerAddress: 2, maxConnections: 3 } });
    const other = world.host('other', '192.0.2.30');
    const dialOther = () => rawTcp(other.host.connectTcp({ remote: PBX, timeoutMs: 5000 }));
    const mine = [dial(), dial(), dial()];
    await world.advance({ seconds: 1 });
    expect(mine.map(({ state }) => state.closed)).toEqual([false, false, true]);
    const theirs = [dialOther(), dialOther()];
    await world.advance({ seconds: 1 });
    expect(theirs.map(({ state }) => state.closed)).toEqual([false, true]);
    mine[0]?.send(wire(VIA));
    await world.advance({ seconds: 1 });
    expect(answers(mine[0]?.state.text ?? '')).toHaveLength(1);
    mine[1]?.connection.destroy();
    await world.advance({ seconds: 1 });
    const again = rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5000 }));
    await world.advance({ seconds: 1 });
    expect(again.state.closed).toBe(false);
    expect(a.layer.stats()).toMatchObject({ refused: 2, connections: 3 });
  });

  it('admit is asked when a connection comes in', async () => {
    const { world, a, dial } = await served({ admit: ({ protocol }) => protocol !== 'tcp' });
    const client = dial();
    client.send(wire(VIA));
    await world.advance({ seconds: 1 });
    expect([client.state.closed, client.state.text]).toEqual([true, '']);
    expect(a.layer.stats()).toMatchObject({ refused: 1, received: 0, connections: 0 });
  });

  it('a connection that brings no message is closed, pings or not; one that has brought one lives on', async () => {
    const { world, dial } = await served({ limits: { firstMessageTimeoutMs: 30_000 } });
    const [silent, pinging, good] = [dial(), dial(), dial()];
    good.send(wire(VIA));
    for (let i = 0; i < 4; i++) {
      await world.advance({ seconds: 7 });
      pinging.send('\r\n\r\n');
    }
    expect([silent.state.closed, pinging.state.closed]).toEqual([false, false]);
    await world.advance({ seconds: 5 });
    expect([silent.state.closed, pinging.state.closed, good.state.closed]).toEqual([true, true, false]);
  });

  it('a message that comes byte by byte is given 10 s from its first byte', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send(wire(VIA));
    await world.advance({ seconds: 60 });
    const slow = wire(VIA);
    for (let i = 0; i < 9; i++) {
      client.send(slow.slice(i, i + 1));
      await world.advance({ seconds: 1 });
    }
    expect(client.state.closed).toBe(false);
    await world.advance({ seconds: 2 });
    expect(client.state.closed).toBe(true);
    expect(a.requests).toHaveLength(1);
  });

  it('messages that follow each other closely do not add up to one that is late', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    const [head, rest] = [wire(VIA).slice(0, 50), wire(VIA).slice(50)];
    client.send(head);
    for (let i = 0; i < 20; i++) {
      await world.advance({ seconds: 5 });
      client.send(rest + head); // never without a message half-way
    }
    await world.advance({ seconds: 1 });
    expect(client.state.closed).toBe(false);
    expect(a.requests).toHaveLength(20);
  });

  it('an idle connection is closed after its time, traffic puts that off', async () => {
    const { world, a, dial } = await served({ limits: { idleTimeoutMs: 600_000 } });
    const client = dial();
    client.send(wire(VIA, { method: 'REGISTER' }));
    await world.advance({ minutes: 9 });
    client.send('\r\n\r\n');
    await world.advance({ minutes: 9 });
    expect(client.state.closed).toBe(false);
    await world.advance({ minutes: 2 });
    expect(client.state.closed).toBe(true);
    expect(a.layer.stats().limited).toMatchObject({ idleTime: 1 });
  });

  it('a stranger to whom nothing was granted is closed after 5 min without a message, pings or not', async () => {
    const { world, a, dial } = await served();
    const [asking, pinging, registered] = [dial(), dial(), dial()];
    for (const client of [asking, pinging]) client.send(wire(VIA));
    registered.send(wire(VIA, { method: 'REGISTER' }));
    for (let i = 0; i < 4; i++) {
      await world.advance({ seconds: 70 });
      pinging.send('\r\n\r\n');
      asking.send(wire(VIA));
    }
    await world.advance({ seconds: 30 });
    expect([asking.state.closed, pinging.state.closed, registered.state.closed]).toEqual([false, true, false]);
    await world.advance({ minutes: 6 });
    expect([asking.state.closed, registered.state.closed]).toEqual([true, false]);
    expect(a.layer.stats().limited).toMatchObject({ idleTime: 2 });
  });

  it('all connections together hold no more than the sum allows: those that hold most go, the others are served', async () => {
    const limits = { maxBufferedBytes: 200_000, maxHeaderBytes: 65_536, maxConnectionsPerAddress: 100 };
    const { world, a, dial } = await served({ limits });
    const greedy = Array.from({ length: 20 }, () => dial());
    const modest = dial();
    modest.send(wire(VIA).slice(0, 40));
    await world.advance({ ms: 50 });
    for (const client of greedy) client.send(`OPTIONS sip:x SIP/2.0\r\nX: ${'x'.repeat(20_000)}`);
    await world.advance({ seconds: 1 });
    const left = greedy.filter(({ state }) => !state.closed).length;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(10);
    expect(a.layer.stats().limited.bufferedBytes).toBe(20 - left);
    modest.send(wire(VIA).slice(40));
    await world.advance({ seconds: 1 });
    expect(answers(modest.state.text)).toEqual(['SIP/2.0 200']);
  });

  it('a peer that does not read is cut off', async () => {
    const { world, peer, a, dial } = await served({ limits: { maxQueuedBytes: 100_000 } });
    const client = dial();
    client.send(wire(VIA));
    await world.advance({ seconds: 1 });
    const { source } = a.requests[0] ?? {};
    if (source === undefined) throw new Error('no request came');
    world.network.isolate(peer.host);
    for (let i = 0; i < 100; i++) a.send(request('MESSAGE', { bytes: 5000 }), { ...TO_PEER, flow: source.flow });
    await world.advance({ seconds: 10 });
    expect(a.errors.some((error) => error.message.includes('does not read'))).toBe(true);
  });

  it.each([
    ['a head without end (513)', `OPTIONS sip:a SIP/2.0\r\nX: ${'x'.repeat(70_000)}`, []],
    ['a body beyond the limit (413)', wire(VIA).replace('Length: 0', 'Length: 9999999'), ['SIP/2.0 413']],
    ['two Content-Lengths (400)', wire(VIA, { extra: 'Content-Length: 5' }), ['SIP/2.0 400']],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: pbx.example\r\n\r\n', []],
    ['a broken ACK', wire(VIA, { method: 'ACK', extra: 'Content-Length: 5' }), []],
  ])('RFC 3261 §18.3: %s ends the connection, after an answer if one is owed', async (_name, text, expected) => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send(text);
    await world.advance({ seconds: 3 });
    expect(answers(client.state.text)).toEqual(expected);
    expect(client.state.closed).toBe(true);
    expect(a.layer.stats()).toMatchObject({ malformed: 1, connections: 0 });
    expect(a.malformed).toHaveLength(1);
  });

  it('a broken message behind a good one is answered for itself, and the connection closes', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send(wire(VIA) + wire(VIA.replace(/branch=\w+/, 'branch=z9hG4bKbroken'), { extra: 'Content-Length: 5' }));
    await world.advance({ seconds: 3 });
    expect(answers(client.state.text)).toEqual(['SIP/2.0 200', 'SIP/2.0 400']);
    expect(client.state.text.split('SIP/2.0 400')[1]).toContain('branch=z9hG4bKbroken');
    expect(client.state.closed).toBe(true);
    expect(a.requests).toHaveLength(1);
  });

  it('RFC 3261 §18.3: a request without Content-Length is answered 400 and the connection stays', async () => {
    const { world, dial } = await served();
    const client = dial();
    client.send(wire(VIA, { drop: 'Content-Length' }));
    client.send(wire(VIA));
    await world.advance({ seconds: 1 });
    expect(answers(client.state.text)).toEqual(['SIP/2.0 400', 'SIP/2.0 200']);
    expect(client.state.closed).toBe(false);
  });

  it('close() hands over what was sent before', async () => {
    const { world, a, dial } = await served();
    const client = dial();
    client.send(wire(VIA));
    await world.advance({ seconds: 1 });
    const { source } = a.requests[0] ?? {};
    if (source === undefined) throw new Error('no request came');
    a.send(request('BYE', { bytes: 200_000 }), { ...TO_PEER, flow: source.flow });
    await world.run(() => a.layer.close());
    await world.advance({ seconds: 1 });
    expect(client.state.text.length).toBeGreaterThan(200_000);
    expect(client.state.closed).toBe(true);
    client.connection.destroy();
    await world.advance({ seconds: 1 });
    expect(world.leaks()).toEqual([]);
  });
});

describe('malformed datagrams', () => {
  it.each([
    ['no From', wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1', { drop: 'From' }), 'SIP/2.0 400'],
    [
      'another version',
      wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1').replace('SIP/2.0\r\n', 'SIP/7.0\r\n'),
      'SIP/2.0 505',
    ],
    ['a Via broken behind its sent-by', wire('SIP/2.0/UDP 192.0.2.20;;;,;branch'), 'SIP/2.0 400'],
    [
      'spaces in the Request-URI',
      wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1').replace('sip:100', 'sip:1 00'),
      'SIP/2.0 400',
    ],
  ])('RFC 4475: %s is answered', async (_name, text, status) => {
    const { world, peer, a } = await served({ serverName: 'pbx/1' });
    const raw = await rawUdp(peer, PEER);
    raw.send(text, PBX);
    await world.advance({ seconds: 1 });
    expect(answers(raw.heard[0]?.text ?? '')).toEqual([status]);
    expect(raw.heard[0]?.text).toContain('Server: pbx/1\r\n');
    expect(a.requests).toEqual([]);
    expect(a.malformed[0]?.source.remote).toEqual(PEER);
    expect(Buffer.from(a.malformed[0]?.bytes ?? []).toString('latin1')).toBe(text);
  });

  it.each([
    ['an ACK', wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1', { method: 'ACK', drop: 'From' })],
    ['a request without Via', wire('x', { drop: 'Via' })],
    [
      'a response',
      wire('SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', { drop: 'From' }).replace(/^OPTIONS.*$/m, 'SIP/2.0 200 OK'),
    ],
    ['noise', 'hello?'],
  ])('RFC 3261 §18.1.2, §17.1.1.3: %s is met with silence', async (_name, text) => {
    const { world, peer, a } = await served();
    const raw = await rawUdp(peer, PEER);
    raw.send(text, PBX);
    await world.advance({ seconds: 1 });
    expect(raw.heard).toEqual([]);
    expect([a.requests, a.responses]).toEqual([[], []]);
    expect(a.layer.stats().malformed).toBe(1);
  });

  it('RFC 3581 §4: the stateless answer too goes to the source port if rport was asked for', async () => {
    const { world, peer } = await served();
    const raw = await rawUdp(peer, { address: PEER.address, port: 40_000 });
    raw.send(wire('SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1;rport', { drop: 'From' }), PBX);
    await world.advance({ seconds: 1 });
    expect(raw.heard[0]?.text).toContain(';rport=40000;received=192.0.2.20');
  });
});
