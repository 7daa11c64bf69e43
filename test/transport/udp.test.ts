import { describe, expect, it } from 'vitest';
import { getParam } from '../../src/protocol/sip/params.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { createWorld } from '../../src/testing/world.js';
import { TransportLayer } from '../../src/transport/layer.js';
import { element, rawUdp, request, TCP_5060, UDP_5060, wire } from './support.js';

const PBX = { address: '192.0.2.1', port: 5060 };

function setUp(options: { addresses?: readonly string[] } = {}) {
  const world = createWorld({ seed: 7, ...options });
  const peer = world.machine({ name: 'peer', addresses: ['192.0.2.20', '2001:db8::20'] });
  return { world, peer };
}

describe('SIP over UDP', () => {
  it('RFC 3261 §18.1.1, RFC 3581: a request and its response between two elements', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer, {
      answer: (incoming, source) => b.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    const outgoing = a.send(request(), { protocol: 'udp', address: '192.0.2.20', port: 5060 });
    expect(outgoing).toMatchObject({ protocol: 'udp', reliable: false });
    expect(outgoing.request.headers.first('Via')).toMatch(
      /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bKtest\d+;rport$/,
    );
    await world.advance({ seconds: 1 });
    expect(b.requests[0]?.request.headers.first('Via')).toMatch(/;rport=5060;received=192\.0\.2\.1$/);
    expect(b.requests[0]?.source).toMatchObject({
      protocol: 'udp',
      local: { address: '192.0.2.20', port: 5060 },
      remote: PBX,
      secure: false,
      flow: { protocol: 'udp', local: { address: '192.0.2.20', port: 5060 }, remote: PBX },
    });
    expect(a.responses[0]?.response.status).toBe(200);
    outgoing.send();
    await world.advance({ seconds: 1 });
    expect(b.requests).toHaveLength(2);
    expect(a.layer.stats()).toMatchObject({ sent: 2, received: 2, malformed: 0, failed: 0 });
  });

  it.each([
    ['RFC 3581 §4: to the source port if rport was asked for', ';rport', 40_000],
    ['RFC 3261 §18.2.2: else to the port of the Via', '', 5080],
  ])('%s', async (_rule, rport, port) => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, {
      answer: (incoming, source) => a.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    const sockets = {
      40000: await rawUdp(peer, { address: '192.0.2.20', port: 40_000 }),
      5080: await rawUdp(peer, { address: '192.0.2.20', port: 5080 }),
    };
    sockets[40000].send(wire(`SIP/2.0/UDP phone.invalid:5080;branch=z9hG4bK1${rport}`), PBX);
    await world.advance({ seconds: 1 });
    const other = port === 5080 ? 40_000 : 5080;
    expect(sockets[port as 5080].heard[0]?.text).toMatch(/^SIP\/2\.0 200 OK/);
    expect(sockets[port as 5080].heard[0]?.from).toEqual(PBX);
    expect(sockets[other].heard).toEqual([]);
  });

  it('RFC 3581 §4: the answer leaves from the address and port that the request came to', async () => {
    const { world, peer } = setUp({ addresses: ['192.0.2.1', '192.0.2.2'] });
    const a = await element(world, world.pbx, {
      listen: [UDP_5060, { protocol: 'udp', host: '0.0.0.0', port: 6060 }],
      answer: (incoming, source) => a.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      for (const port of [5060, 6060]) {
        raw.send(wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1'), { address, port });
        await world.advance({ seconds: 1 });
        expect(raw.heard.pop()?.from).toEqual({ address, port });
      }
    }
  });

  it('a request by a stored flow leaves from the socket of that flow', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, { listen: [UDP_5060, { protocol: 'udp', host: '0.0.0.0', port: 6060 }] });
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    raw.send(wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1'), { address: '192.0.2.1', port: 6060 });
    await world.advance({ seconds: 1 });
    const flow = JSON.parse(JSON.stringify(a.requests[0]?.source.flow));
    const outgoing = a.send(request('NOTIFY'), { protocol: 'udp', address: '192.0.2.20', port: 5060, flow });
    await world.advance({ seconds: 1 });
    expect(raw.heard[0]?.from).toEqual({ address: '192.0.2.1', port: 6060 });
    expect(outgoing.request.topVia.port).toBe(6060);
  });

  it('RFC 3261 §18.1.2: a response whose sent-by is not ours is dropped', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    const answer = (sentBy: string): string =>
      wire(`SIP/2.0/UDP ${sentBy};branch=z9hG4bK1`).replace('OPTIONS sip:100@pbx.example SIP/2.0', 'SIP/2.0 200 OK');
    raw.send(answer('192.0.2.99:5060'), PBX);
    raw.send(answer('192.0.2.1:5070'), PBX);
    raw.send(answer('192.0.2.1:5060'), PBX);
    raw.send(answer('192.0.2.1'), PBX); // the default port
    await world.advance({ seconds: 1 });
    expect(a.responses).toHaveLength(2);
    expect(a.layer.stats().dropped).toBe(2);
  });

  it('what the advisor tells stands in Via and Contact, and is then ours (RFC 3261 §18.1.2)', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, {
      advisor: { advertise: ({ local }) => ({ address: '203.0.113.7', port: local.port + 10_000 }) },
    });
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    const hop = { protocol: 'udp', address: '192.0.2.20', port: 5060 } as const;
    a.send(request(), hop);
    await world.advance({ seconds: 1 });
    expect(raw.heard[0]?.text).toContain('SIP/2.0/UDP 203.0.113.7:15060;');
    raw.send(raw.heard[0]?.text.replace(/^OPTIONS.*$/m, 'SIP/2.0 200 OK') ?? '', PBX);
    await world.advance({ seconds: 1 });
    expect(a.responses).toHaveLength(1);
    expect(a.layer.contactFor(hop)).toEqual({ host: '203.0.113.7', port: 15_060, params: [] });
    expect(a.layer.contactFor({ ...hop, protocol: 'tcp' })).toEqual({
      host: '203.0.113.7',
      port: 15_060,
      params: [{ name: 'transport', value: 'tcp' }],
    });
    expect([
      a.layer.isLocal('203.0.113.7'),
      a.layer.isLocal('203.0.113.7', 15_060),
      a.layer.isLocal('192.0.2.1', 5060),
    ]).toEqual([true, true, true]);
    expect([a.layer.isLocal('203.0.113.8'), a.layer.isLocal('192.0.2.1', 5070)]).toEqual([false, false]);
  });

  it('RFC 3261 §9.1: what follows a request with its Via keeps it, and leaves by the same socket, whatever the address and the route are now', async () => {
    const { world, peer } = setUp({ addresses: ['192.0.2.1', '198.51.100.2'] });
    const [first, second] = ['192.0.2.1', '198.51.100.2'];
    let route = second;
    let told = '203.0.113.7';
    Object.assign(world.pbx.ports.network, { sourceAddressFor: () => route });
    const layer = world.use(
      new TransportLayer({
        ...world.pbx.ports,
        listen: [first, second].map((host) => ({ protocol: 'udp', host, port: 5060 })),
        advisor: { advertise: ({ local }) => ({ ...local, address: told }) },
      }),
    );
    await world.run(() => layer.start());
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    const hop = { protocol: 'udp', address: '192.0.2.20', port: 5060 } as const;
    const handlers = { onError: () => {} };
    const invite = layer.outgoing(request('INVITE'), hop, handlers);
    invite.send();
    [route, told] = [first, '203.0.113.8'];
    await world.advance({ minutes: 2 });
    const { local: sentFrom } = invite;
    if (sentFrom === undefined) throw new Error('it has left by no socket');
    const cancel = request('CANCEL');
    cancel.headers.replaceTopVia(invite.request.topVia);
    layer.outgoing(cancel, { ...hop, sentFrom }, handlers).send();
    layer.outgoing(request(), hop, handlers).send();
    await world.advance({ seconds: 1 });
    const seen = raw.heard.map(({ text, from }) => [
      text.split(' ')[0],
      /^Via: (\S+ [^;]+)/m.exec(text)?.[1],
      from.address,
    ]);
    expect(seen).toEqual([
      ['INVITE', 'SIP/2.0/UDP 203.0.113.7:5060', second],
      ['CANCEL', 'SIP/2.0/UDP 203.0.113.7:5060', second],
      ['OPTIONS', 'SIP/2.0/UDP 203.0.113.8:5060', first],
    ]);
  });

  it('IPv6 and IPv4 each leave by their own socket', async () => {
    const { world, peer } = setUp({ addresses: ['192.0.2.1', '2001:db8::1'] });
    const a = await element(world, world.pbx, { listen: [UDP_5060, { protocol: 'udp', host: '::', port: 5060 }] });
    const b = await element(world, peer, { listen: [UDP_5060, { protocol: 'udp', host: '::', port: 5060 }] });
    a.send(request(), { protocol: 'udp', address: '[2001:DB8::20]', port: 5060 });
    a.send(request(), { protocol: 'udp', address: '192.0.2.20', port: 5060 });
    await world.advance({ seconds: 1 });
    expect(b.requests.map(({ source }) => source.remote.address).sort()).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(b.requests.map(({ request: each }) => each.headers.first('Via')).sort()[1]).toContain('[2001:db8::1]:5060');
  });

  it('errors come to onError, once and later: no socket of that family, a closed way, an unknown transport', async () => {
    const { world } = setUp();
    const a = await element(world, world.pbx, { listen: [UDP_5060] });
    const first = a.send(request(), { protocol: 'udp', address: '2001:db8::20', port: 5060 });
    first.send();
    a.send(request(), { protocol: 'ws', address: '192.0.2.20', port: 80 });
    a.send(request(), { protocol: 'udp', address: '192.0.2.20', port: 0 });
    expect(a.errors).toEqual([]);
    await world.advance({ seconds: 1 });
    expect(a.errors.map((error) => error.code)).toEqual(['SIP_TRANSPORT', 'SIP_TRANSPORT', 'SIP_TRANSPORT']);
    expect(a.errors.map((error) => error.message)).toEqual([
      'udp://[2001:db8::20]:5060: no IPv6 UDP socket is open to send from',
      'ws://192.0.2.20:80: ws is not open here',
      expect.stringContaining('udp://192.0.2.20:0: no port 0'),
    ]);
  });

  it('keep-alives are swallowed; source port 0 and multicast sources get nothing', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    for (const data of ['\r\n\r\n', '', '\0\0\0\0']) raw.send(data, PBX);
    raw.send(wire('SIP/2.0/UDP 224.0.1.75:5060;branch=z9hG4bK1;rport'), PBX);
    await world.advance({ seconds: 1 });
    expect(a.requests).toEqual([]);
    expect(raw.heard).toEqual([]);
    expect(a.layer.stats()).toMatchObject({ keepAlives: 3, stun: 0, malformed: 0, dropped: 1 });
  });

  it('RFC 5626 §4.4.2, §8: a STUN Binding request on the SIP port is answered with the source, from that socket', async () => {
    const { world } = setUp();
    const nat = world.nat({ publicAddress: '203.0.113.9' });
    const phone = world.machine({ name: 'phone', addresses: ['192.168.1.10'], behind: nat });
    const a = await element(world, world.pbx);
    const raw = await rawUdp(phone, { address: '192.168.1.10', port: 5060 });
    const stun = (type: number, cookie = 0x2112a442): Buffer => {
      const head = Buffer.alloc(20, 7);
      head.writeUInt32BE(type << 16, 0);
      head.writeUInt32BE(cookie, 4);
      return head;
    };
    raw.send(stun(0x0001), PBX);
    for (const other of [stun(0x0011), stun(0x0101), stun(0x0003), stun(0x0001, 1)]) raw.send(other, PBX);
    await world.advance({ seconds: 1 });
    expect(raw.heard).toHaveLength(1);
    expect(raw.heard[0]?.from).toEqual(PBX);
    const answer = Buffer.from(raw.heard[0]?.text ?? '', 'latin1');
    const [port, address] = [answer.readUInt16BE(26) ^ 0x2112, answer.readUInt32BE(28) ^ 0x2112a442];
    expect(answer.readUInt16BE(0)).toBe(0x0101);
    expect(address >>> 0).toBe(0xcb007109);
    expect(nat.mappings(world.clock.now())).toEqual([expect.objectContaining({ publicPort: port })]);
    expect(a.layer.stats()).toMatchObject({ stun: 5, received: 0, malformed: 0 });
    expect(a.requests).toEqual([]);
  });

  it('admit is asked before anything is parsed; one that throws refuses', async () => {
    const { world, peer } = setUp();
    const asked: unknown[] = [];
    const a = await element(world, world.pbx, {
      admit: (source) => {
        asked.push(source);
        if (asked.length === 2) throw new Error('guard is broken');
        return asked.length > 2;
      },
    });
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    raw.send('no SIP', PBX);
    raw.send('no SIP', PBX);
    raw.send(wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1'), PBX);
    await world.advance({ seconds: 1 });
    expect(asked[0]).toEqual({ protocol: 'udp', remote: { address: '192.0.2.20', port: 5060 } });
    expect(a.layer.stats()).toMatchObject({ refused: 2, received: 1, malformed: 0 });
    expect(a.requests).toHaveLength(1);
  });

  it('a handler that throws is logged and disturbs nobody', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, {
      answer: () => {
        throw new Error('bug above');
      },
    });
    const raw = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
    for (let i = 0; i < 2; i++) raw.send(wire('SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1'), PBX);
    await world.advance({ seconds: 1 });
    expect(a.requests).toHaveLength(2);
    expect(world.log.format('error')).toContain('bug above');
  });
});

describe('RFC 3261 §18.1.1: requests too large for UDP', () => {
  const hop = { protocol: 'udp', address: '192.0.2.20', port: 5060 } as const;

  it('leave by TCP, with the Via rewritten; the response comes back the same way', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer, {
      answer: (incoming, source) => b.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source),
    });
    const small = a.send(request('INVITE'), hop);
    const large = a.send(request('INVITE', { bytes: 1200 }), hop);
    expect([small.protocol, large.protocol, large.reliable, large.hop.protocol]).toEqual(['udp', 'tcp', true, 'tcp']);
    expect(large.request.topVia).toMatchObject({ transport: 'TCP', host: '192.0.2.1', port: 5060 });
    expect(large.request.branch).toMatch(/^z9hG4bKtest/);
    await world.advance({ seconds: 1 });
    expect(b.requests.map(({ source }) => source.protocol).sort()).toEqual(['tcp', 'udp']);
    expect(a.responses.map(({ source }) => source.protocol).sort()).toEqual(['tcp', 'udp']);
  });

  it('a refused TCP connection says that the size was the reason, and forceProtocol stays with UDP', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer, { listen: [UDP_5060] });
    a.send(request('INVITE', { bytes: 2000 }), hop);
    await world.advance({ seconds: 1 });
    expect(a.errors).toMatchObject([{ code: 'SIP_TRANSPORT', protocol: 'tcp', sizeSwitched: true }]);
    a.send(request('INVITE', { bytes: 2000 }), { ...hop, forceProtocol: true });
    await world.advance({ seconds: 1 });
    expect(b.requests).toHaveLength(1);
    expect(a.errors).toHaveLength(1);
  });

  it('a silent TCP port fails after the connect time-out', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, { limits: { connectTimeoutMs: 2000 } });
    world.network.isolate(peer.host);
    a.send(request('INVITE', { bytes: 2000 }), hop);
    await world.advance({ ms: 1990 });
    expect(a.errors).toEqual([]);
    await world.advance({ ms: 20 });
    expect(a.errors).toMatchObject([{ sizeSwitched: true }]);
  });

  it('a plain TCP hop that fails was not switched; nor was a connection that broke after it was open', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    a.send(request('INVITE'), { ...hop, protocol: 'tcp' });
    await world.advance({ seconds: 1 });
    expect(a.errors).toMatchObject([{ sizeSwitched: false }]);
    const b = await element(world, peer);
    a.send(request('INVITE', { bytes: 2000 }), hop);
    await world.advance({ seconds: 1 });
    const { flow } = b.requests[0]?.source ?? {};
    if (flow !== undefined) b.layer.closeFlow(flow);
    await world.advance({ seconds: 1 });
    expect(a.errors).toMatchObject([{ sizeSwitched: false }, { sizeSwitched: false }]);
  });

  it('a hop with a UDP flow stays with UDP: no TCP connection leads through its NAT', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, { listen: [UDP_5060] });
    const b = await element(world, peer);
    const flow = { protocol: 'udp', local: PBX, remote: { address: '192.0.2.20', port: 5060 } } as const;
    a.send(request('INVITE', { bytes: 3000 }), { ...hop, flow });
    await world.advance({ seconds: 1 });
    expect(b.requests[0]?.source.protocol).toBe('udp');
    expect(a.layer.contactFor({ ...hop, protocol: 'tcp' })).toEqual({ host: '192.0.2.1', port: 5060, params: [] });
  });
});

describe('listening', () => {
  it('a wildcard opens one socket for each interface address of its family; the same socket is opened once', async () => {
    const { world } = setUp({ addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'] });
    const a = await element(world, world.pbx, {
      listen: [UDP_5060, TCP_5060, { protocol: 'udp', host: '192.0.2.2', port: 5060 }],
    });
    const at = (protocol: string) =>
      a.layer.listening
        .filter((each) => each.protocol === protocol && !each.local.address.startsWith('127.'))
        .map(({ local }) => local);
    expect(at('udp')).toEqual([PBX, { address: '192.0.2.2', port: 5060 }]);
    expect(at('tcp')).toEqual([PBX, { address: '192.0.2.2', port: 5060 }]);
  });

  it('port 0 is one free port on all addresses', async () => {
    const { world } = setUp({ addresses: ['192.0.2.1', '192.0.2.2'] });
    const blocker = await rawUdp(world.pbx, { address: '192.0.2.2', port: 0 });
    const a = await element(world, world.pbx, { listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }] });
    const ports = new Set(a.layer.listening.map(({ local }) => local.port));
    expect(ports.size).toBe(1);
    expect(ports.has(blocker.socket.local.port)).toBe(false);
    expect(a.layer.listening.length).toBeGreaterThanOrEqual(2);
  });

  it('start is all or nothing', async () => {
    const { world } = setUp({ addresses: ['192.0.2.1', '192.0.2.2'] });
    const blocker = await world.pbx.host.listenTcp({
      local: { address: '192.0.2.2', port: 5060 },
      onConnection: () => {},
      onError: () => {},
    });
    await expect(element(world, world.pbx)).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
    expect(world.leaks()).toEqual(['pbx: tcp listener 192.0.2.2:5060']);
    await blocker.close();
    await element(world, world.pbx);
  });

  it('host names of this machine are resolved, others refused', async () => {
    const { world } = setUp();
    world.network.dns.set('pbx.example', ['192.0.2.1', '198.51.100.1']);
    world.network.dns.set('other.example', ['198.51.100.1']);
    const a = await element(world, world.pbx, { listen: [{ protocol: 'udp', host: 'pbx.example', port: 5060 }] });
    expect(a.layer.listening).toEqual([{ protocol: 'udp', local: PBX }]);
    await expect(
      element(world, world.pbx, { listen: [{ protocol: 'udp', host: 'other.example', port: 5080 }] }),
    ).rejects.toMatchObject({ code: 'PBX_LISTEN_FAILED' });
  });

  it('what cannot be is refused before anything opens', async () => {
    const { world } = setUp();
    const bad = (point: object) => element(world, world.pbx, { listen: [{ ...UDP_5060, ...point }] });
    await expect(bad({ protocol: 'sctp' })).rejects.toThrow('listen[0].protocol: found "sctp"');
    await expect(bad({ port: 70_000 })).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    await expect(bad({ host: '' })).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    const a = await element(world, world.pbx);
    await expect(async () => a.layer.start()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
  });

  it('close() leaves no socket, timer or listener, also in the middle of start()', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx);
    const b = await element(world, peer);
    a.send(request('INVITE'), { protocol: 'tcp', address: '192.0.2.20', port: 5060 });
    a.send(request('INVITE'), { protocol: 'tcp', address: '192.0.2.20', port: 9999 });
    a.send(request(), { protocol: 'udp', address: '2001:db8::20', port: 5060 });
    await world.advance({ ms: 2 });
    await world.run(() => a.layer.close());
    await world.run(() => b.layer.close());
    expect(world.leaks()).toEqual([]);
    const told = a.errors.length;
    a.send(request(), { protocol: 'udp', address: '2001:db8::20', port: 5060 });
    await world.advance({ seconds: 60 });
    expect(a.errors).toHaveLength(told);
    const early = new TransportLayer({ ...world.ports, listen: [UDP_5060, TCP_5060] });
    const starting = early.start();
    await world.run(() => Promise.all([starting, early.close()]));
    expect(world.leaks()).toEqual([]);
  });

  it('RFC 3261 §17.2.2: a response that has left can be sent again, byte for byte, until the layer closes', async () => {
    const { world, peer } = setUp();
    let sent: { again(): void } | undefined;
    const a = await element(world, world.pbx, {
      answer: (incoming, source) => {
        sent = a.layer.sendResponse(responseTo(incoming, 486, { toTag: 't' }), source);
      },
    });
    const phone = await rawUdp(peer, { address: '192.0.2.20', port: 40_000 });
    phone.send(wire('SIP/2.0/UDP phone.invalid:5080;branch=z9hG4bK1;rport'), PBX);
    await world.advance({ seconds: 1 });
    sent?.again();
    await world.advance({ seconds: 1 });
    expect(phone.heard.map(({ text }) => text.slice(0, 11))).toEqual(['SIP/2.0 486', 'SIP/2.0 486']);
    expect(phone.heard[1]?.text).toBe(phone.heard[0]?.text);
    expect(a.layer.stats()).toMatchObject({ sent: 2, failed: 0 });
    await a.layer.close();
    sent?.again();
    await world.advance({ seconds: 1 });
    expect(phone.heard).toHaveLength(2);
  });

  it('a response carries rport and received untouched through sendResponse', async () => {
    const { world, peer } = setUp();
    const a = await element(world, world.pbx, {
      answer: (incoming, source) => a.layer.sendResponse(responseTo(incoming, 486, { toTag: 't' }), source),
    });
    const b = await element(world, peer);
    b.send(request('INVITE'), { protocol: 'udp', address: '192.0.2.1', port: 5060 });
    await world.advance({ seconds: 1 });
    const params = b.responses[0]?.response.topVia.params ?? [];
    expect([getParam(params, 'received'), getParam(params, 'rport')]).toEqual(['192.0.2.20', '5060']);
  });
});
