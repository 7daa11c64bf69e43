import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../../src/base/ip.js';
import { parseSdp } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary, originOf } from '../../../src/protocol/sdp/media.js';
import { createWorld, type World } from '../../../src/testing/world.js';
import { runScenario } from '../../support/scenario.js';
import { connect, Endpoint, exchangeOf, type Party, placeIn, RELAY, relayIn, rtcpOf, talk } from './support.js';

async function parties(world: World): Promise<{ a: Party; b: Party }> {
  const a = await Endpoint.on(world.host('a', '10.0.0.5'));
  const b = await Endpoint.on(world.host('b', '10.0.0.6'), 6000);
  return { a: { endpoint: a, legId: 'a' }, b: { endpoint: b, legId: 'b1' } };
}

const bytesOf = (endpoint: Endpoint): readonly Uint8Array[] => endpoint.heard.map(({ bytes }) => bytes);

/** A world whose endpoints are closed, and in which nothing may be left. */
function relayTest(name: string, body: (world: World) => Promise<void>): void {
  test(name, () => runScenario({ seed: name }, body));
}

describe('a relayed call', () => {
  relayTest('audio and RTCP pass both ways, as they are, from the ports that each leg was told', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA, forB } = await connect(relay, 'call', a, b);
    expect(forA.address).toBe(RELAY);
    expect(forB.address).toBe(RELAY);
    expect(new Set([forA.port, forB.port]).size).toBe(2);

    await talk(world, 10, [a.endpoint, forA], [b.endpoint, forB]);
    expect(a.endpoint.heard).toHaveLength(10);
    expect(b.endpoint.heard).toHaveLength(10);
    expect(a.endpoint.heard[0]?.from).toEqual(forA);
    expect(b.endpoint.heard[0]?.from).toEqual(forB);
    expect(b.endpoint.heard.every(({ ssrc }) => ssrc === a.endpoint.ssrc)).toBe(true);

    a.endpoint.sendRtcp(rtcpOf(forA));
    b.endpoint.sendRtcp(rtcpOf(forB));
    await world.advance({ ms: 10 });
    expect(a.endpoint.heardRtcp.map(({ from }) => from)).toEqual([rtcpOf(forA)]);
    expect(b.endpoint.heardRtcp.map(({ from }) => from)).toEqual([rtcpOf(forB)]);

    const stats = await relay.delete('call');
    expect(stats).toMatchObject({
      path: 'relay',
      streams: [
        {
          legId: 'a',
          toLeg: 'b1',
          stream: 0,
          packetsReceived: 10,
          bytesReceived: 1720,
          packetsLost: 0,
          source: a.endpoint.local,
        },
        { legId: 'b1', toLeg: 'a', stream: 0, packetsReceived: 10, packetsDropped: 0, source: b.endpoint.local },
      ],
    });
    expect(relay.totals).toMatchObject({
      calls: 0,
      streams: 0,
      ports: { used: 0, resting: 2 },
      packets: { relayed: 22 },
    });
  });

  relayTest(
    'packets pass untouched: bytes in are bytes out, header extension, padding and SRTP tag included',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const { forA } = await connect(relay, 'call', a, b);
      const packets = [0x80, 0x90, 0xb2].map((first, i) => {
        const packet = new Uint8Array(60).map((_, at) => (at * 7 + i) & 0xff);
        packet.set([first, 96, 0, i, 0, 0, 0, 0, 0, 0, 0, 9]);
        if (first === 0x90) packet.set([0xbe, 0xde, 0, 1], 12);
        if (first === 0xb2) packet.set([0xbe, 0xde, 0, 1], 20);
        return packet;
      });
      for (const packet of packets) {
        a.endpoint.send(forA, packet);
        await world.advance({ ms: 20 });
      }
      expect(bytesOf(b.endpoint).map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
        packets.map((bytes) => Buffer.from(bytes).toString('hex')),
      );
      await relay.delete('call');
    },
  );

  relayTest('RFC 5761: where both want one port, RTCP comes and goes on it', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const media = { attributes: [{ name: 'rtcp-mux' }] };
    const { forA, toldA, toldB } = await connect(relay, 'call', { ...a, media }, { ...b, media });
    expect(toldA).toContain('a=rtcp-mux');
    expect(toldB).toContain('a=rtcp-mux');
    await talk(world, 1, [a.endpoint, forA]);
    a.endpoint.send(forA, new Uint8Array([0x80, 200, 0, 1, 0, 0, 0, 9]));
    await world.advance({ ms: 10 });
    expect(b.endpoint.heard).toHaveLength(2);
    expect(b.endpoint.heardRtcp).toHaveLength(0);
    await relay.delete('call');
  });

  relayTest(
    'RFC 5761 §5.1.1: where one of them does not, RTCP from the shared port goes to the next one',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const { forA } = await connect(relay, 'call', { ...a, media: { attributes: [{ name: 'rtcp-mux' }] } }, b);
      await talk(world, 1, [a.endpoint, forA]);
      a.endpoint.send(forA, new Uint8Array([0x80, 200, 0, 1, 0, 0, 0, 9]));
      await world.advance({ ms: 10 });
      expect(b.endpoint.heard).toHaveLength(1);
      expect(b.endpoint.heardRtcp).toHaveLength(1);
      await relay.delete('call');
    },
  );

  relayTest('RFC 3605: RTCP goes to the port that a=rtcp names', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    const b2 = world.use(await Endpoint.on(world.host('b2', '10.0.0.7'), 7000));
    await b.endpoint.close();
    const media = { attributes: [{ name: 'rtcp', value: `7001 IN IP4 10.0.0.7` }], port: 6000 };
    const { forA, toldA } = await connect(relay, 'call', a, { ...b, media });
    expect(toldA).toContain(`a=rtcp:${forA.port + 1} IN IP4 ${RELAY}\r\n`);
    a.endpoint.sendRtcp(rtcpOf(forA));
    await world.advance({ ms: 10 });
    expect(b2.heardRtcp).toHaveLength(1);
    await relay.delete('call');
  });

  relayTest('IPv4 on one side and IPv6 on the other', async (world) => {
    const six = '2001:db8::1';
    const machine = world.machine({ name: 'relay', addresses: ['192.0.2.9', six] });
    const relay = relayIn(world, { network: machine.ports.network, addresses: ['192.0.2.9', six] });
    const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
    const b = world.use(await Endpoint.on(world.host('b', '2001:db8:7::6')));
    const { forA, forB, toldB } = await connect(
      relay,
      'call',
      { endpoint: a, legId: 'a' },
      { endpoint: b, legId: 'b1' },
    );
    expect(forA.address).toBe('192.0.2.9');
    expect(forB.address).toBe(six);
    expect(toldB).toContain(`c=IN IP6 ${six}\r\n`);
    await talk(world, 5, [a, forA], [b, forB]);
    expect([a.heard.length, b.heard.length]).toEqual([5, 5]);
    await relay.delete('call');
  });

  for (const [seenAt, media, other] of [
    ['198.51.100.1', '2001:db8:7::5', '10.0.0.6'],
    ['2001:db8:7::1', '10.0.0.5', '2001:db8:7::6'],
  ] as const) {
    relayTest(`signalling from ${seenAt}, media at ${media}: faced by the IP of its media`, async (world) => {
      const addresses = ['192.0.2.9', '2001:db8::1'];
      const machine = world.machine({ name: 'relay', addresses });
      const relay = relayIn(world, { network: machine.ports.network, addresses });
      const a = world.use(await Endpoint.on(world.host('a', media)));
      const b = world.use(await Endpoint.on(world.host('b', other)));
      const { forA, forB } = await connect(
        relay,
        'call',
        { endpoint: a, legId: 'a', seenAt },
        { endpoint: b, legId: 'b1' },
      );
      await talk(world, 5, [a, forA], [b, forB]);
      expect([a.heard.length, b.heard.length]).toEqual([5, 5]);
      await relay.delete('call');
    });
  }

  relayTest('each leg is told the address that the advisor gives for it', async (world) => {
    const asked: unknown[] = [];
    const relay = relayIn(world, {
      advisor: {
        advertise: (question) => {
          asked.push(question);
          return question.remote.address === '10.0.0.6'
            ? { ...question.local, address: '198.51.100.1' }
            : question.local;
        },
      },
    });
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA, forB } = await connect(relay, 'call', a, b);
    expect(forA.address).toBe(RELAY);
    expect(forB.address).toBe('198.51.100.1');
    expect(asked[0]).toMatchObject({ purpose: 'media', local: { address: RELAY }, remote: { address: '10.0.0.6' } });
    await relay.delete('call');
  });

  for (const [own, unspecified] of [
    ['192.0.2.2', '0.0.0.0'],
    ['2001:db8::1', '::'],
  ] as const) {
    relayTest(
      `a leg of which nothing is known, faced with ${own}: the advisor is asked as for one outside`,
      async (world) => {
        const asked: SocketAddress[] = [];
        const relay = relayIn(world, {
          network: world.machine({ name: 'relay', addresses: [own] }).ports.network,
          addresses: [own],
          advisor: {
            advertise: ({ local, remote }) => {
              asked.push(remote);
              return remote.address === unspecified ? { ...local, address: '203.0.113.7' } : local;
            },
          },
        });
        const { a, b } = await parties(world);
        world.use(a.endpoint);
        world.use(b.endpoint);
        const { toAddress: _unknown, ...exchange } = exchangeOf('call', a, b);
        const told = await relay.offer({ ...exchange, sdp: a.endpoint.sdp() });
        expect(placeIn(told).address).toBe('203.0.113.7');
        expect(asked).toEqual(Array(2).fill({ address: unspecified, port: 0 }));
        await relay.delete('call');
      },
    );
  }

  relayTest('T.38 (UDPTL) and other datagrams pass, a stream over TCP is left alone', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const media = { type: 'image', protocol: 'udptl', formats: ['t38'] };
    const { forA, toldB } = await connect(relay, 'call', { ...a, media }, { ...b, media });
    expect(toldB).toContain('udptl t38');
    a.endpoint.send(forA, new Uint8Array([0, 7, 1, 2, 3]));
    await world.advance({ ms: 10 });
    expect(bytesOf(b.endpoint)).toEqual([Buffer.from([0, 7, 1, 2, 3])]);

    const msrp = { type: 'message', protocol: 'TCP/MSRP', formats: ['*'], port: 7394 };
    const untouched = await relay.offer({ ...exchangeOf('chat', a, b), sdp: a.endpoint.sdp(msrp) });
    expect(untouched).toBe(a.endpoint.sdp(msrp));
    await relay.delete('call');
    await relay.delete('chat');
  });

  relayTest(
    'RFC 5764: the handshake of DTLS-SRTP passes, from the described or learned address only',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const stranger = world.use(await Endpoint.on(world.host('x', '198.51.100.66')));
      const { forA } = await connect(relay, 'call', a, b);
      const hello = new Uint8Array([22, 254, 253, 0, 0]);
      a.endpoint.send(forA, hello);
      stranger.send(forA, hello);
      await world.advance({ ms: 10 });
      expect(b.endpoint.heard).toHaveLength(1);
      expect(relay.totals.packets.strangers).toBe(1);
      await relay.delete('call');
    },
  );
});

describe('offers and answers', () => {
  relayTest(
    'a re-offer keeps the ports, whichever leg makes it; the o= version grows exactly when something else changed',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const { forA, forB, toldA, toldB } = await connect(relay, 'call', a, b);
      const again = await connect(relay, 'call', a, b);
      expect(again).toEqual({ forA, forB, toldA, toldB });
      const hold = await connect(relay, 'call', b, { ...a, media: { direction: 'recvonly' } });
      expect(hold.forA).toEqual(forB);
      expect(hold.forB).toEqual(forA);
      const [before, after] = [originOf(parseSdp(toldB)), originOf(parseSdp(hold.toldA))];
      expect(after).toEqual({ ...before, version: '2' });
      expect(originOf(parseSdp(hold.toldB))).toEqual(originOf(parseSdp(toldA)));
      expect(relay.totals.ports.used).toBe(2);
      await relay.delete('call');
    },
  );

  relayTest(
    'a leg that is told of another party stays in one session: its o= line goes on (RFC 3264 §8)',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const c: Party = { endpoint: world.use(await Endpoint.on(world.host('c', '10.0.0.9'))), legId: 'c' };
      const { toldA } = await connect(relay, 'call', a, b);
      const transferred = await connect(relay, 'call', c, a);
      const [before, after] = [originOf(parseSdp(toldA)), originOf(parseSdp(transferred.toldB))];
      expect(after).toEqual({ ...before, version: String(Number(before.version) + 1) });
      await relay.delete('call', 'b1');
      await talk(world, 5, [a.endpoint, transferred.forB], [c.endpoint, transferred.forA]);
      expect(a.endpoint.heard).toHaveLength(5);
      expect(c.endpoint.heard).toHaveLength(5);
      await relay.delete('call');
    },
  );

  relayTest('flow C5: a re-INVITE moves a leg to another address; media follows with the answer', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA, forB } = await connect(relay, 'call', a, b);
    await talk(world, 10, [a.endpoint, forA], [b.endpoint, forB]);
    const moved = world.use(await Endpoint.on(world.host('a2', '10.0.0.50'), 4400));
    const offered = { ...exchangeOf('call', a, b), sdp: moved.sdp() };
    await relay.offer(offered);
    await talk(world, 5, [b.endpoint, forB]);
    expect(a.endpoint.heard).toHaveLength(15);
    await relay.answer({ ...exchangeOf('call', b, a), sdp: b.endpoint.sdp() });
    await talk(world, 5, [b.endpoint, forB], [moved, forA]);
    expect(a.endpoint.heard).toHaveLength(15);
    expect(moved.heard).toHaveLength(5);
    expect(b.endpoint.heard).toHaveLength(15);
    await relay.delete('call');
  });

  relayTest('a re-offer that was refused leaves everything as it was', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA, forB } = await connect(relay, 'call', a, b);
    await talk(world, 5, [a.endpoint, forA], [b.endpoint, forB]);
    await relay.offer({ ...exchangeOf('call', a, b), sdp: a.endpoint.sdp({ port: 9999, address: '10.0.0.99' }) });
    await talk(world, 5, [a.endpoint, forA], [b.endpoint, forB]);
    expect([a.endpoint.heard.length, b.endpoint.heard.length]).toEqual([10, 10]);
    await relay.delete('call');
  });

  relayTest('a stream that is refused or removed gives its ports back; one that is added gets some', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const two = (endpoint: Endpoint, videoPort: number): string =>
      `${endpoint.sdp()}m=video ${videoPort} RTP/AVP 31\r\na=sendrecv\r\n`;
    const toldB = await relay.offer({ ...exchangeOf('call', a, b), sdp: two(a.endpoint, 4002) });
    expect(relay.totals).toMatchObject({ streams: 2, ports: { used: 4 } });
    expect(placeIn(toldB, 1).port).not.toBe(placeIn(toldB, 0).port);
    const toldA = await relay.answer({ ...exchangeOf('call', b, a), sdp: two(b.endpoint, 0) });
    expect(mediaSummary(parseSdp(toldA)).map(({ active }) => active)).toEqual([true, false]);
    expect(relay.totals).toMatchObject({ streams: 1, ports: { used: 2, resting: 2 } });

    const [forA] = [placeIn(toldA)];
    await relay.offer({ ...exchangeOf('call', b, a), sdp: two(b.endpoint, 6002) });
    const added = await relay.answer({ ...exchangeOf('call', a, b), sdp: two(a.endpoint, 4002) });
    expect(placeIn(added, 0)).toEqual(placeIn(toldB));
    expect(relay.totals).toMatchObject({ streams: 2, ports: { used: 4 } });

    await relay.offer({ ...exchangeOf('call', a, b), sdp: two(a.endpoint, 0) });
    await relay.answer({ ...exchangeOf('call', b, a), sdp: two(b.endpoint, 0) });
    expect(relay.totals).toMatchObject({ streams: 1, ports: { used: 2 } });
    await talk(world, 3, [a.endpoint, forA]);
    expect(b.endpoint.heard).toHaveLength(3);
    await relay.delete('call');
  });

  relayTest('forks: each leg that is called has ports of its own, and media of each that answers', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const second: Party = { endpoint: world.use(await Endpoint.on(world.host('b2', '10.0.0.7'))), legId: 'b2' };
    const told = await Promise.all(
      [b, second].map((to) => relay.offer({ ...exchangeOf('call', a, to), sdp: a.endpoint.sdp() })),
    );
    expect(relay.totals).toMatchObject({ streams: 2, ports: { used: 4 } });
    const [forB, forSecond] = [placeIn(told[0] as string), placeIn(told[1] as string)];
    expect(forB).not.toEqual(forSecond);
    const early = await relay.answer({ ...exchangeOf('call', b, a), sdp: b.endpoint.sdp() });
    await talk(world, 3, [b.endpoint, forB]);
    const final = await relay.answer({ ...exchangeOf('call', second, a), sdp: second.endpoint.sdp() });
    await relay.delete('call', 'b1');
    await talk(world, 3, [second.endpoint, forSecond], [a.endpoint, placeIn(final)]);
    expect(a.endpoint.heard.map(({ ssrc }) => ssrc)).toEqual([
      ...Array(3).fill(b.endpoint.ssrc),
      ...Array(3).fill(second.endpoint.ssrc),
    ]);
    expect(second.endpoint.heard).toHaveLength(3);
    expect(placeIn(early)).not.toEqual(placeIn(final));
    expect(relay.totals).toMatchObject({ streams: 1, ports: { used: 2 } });
    const { streams } = await relay.delete('call');
    expect(streams.map(({ legId, toLeg, packetsReceived }) => [legId, toLeg, packetsReceived])).toEqual([
      ['a', 'b1', 0],
      ['b1', 'a', 3],
      ['a', 'b2', 3],
      ['b2', 'a', 3],
    ]);
  });

  relayTest('a late offer: the called leg offers, the caller answers', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA: forB, forB: forA } = await connect(relay, 'call', b, a);
    await talk(world, 3, [a.endpoint, forA], [b.endpoint, forB]);
    expect([a.endpoint.heard.length, b.endpoint.heard.length]).toEqual([3, 3]);
    await relay.delete('call');
  });

  relayTest(
    'the offerer hears early media as soon as the other leg has described itself, before it says a word',
    async (world) => {
      const relay = relayIn(world);
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const { forB } = await connect(relay, 'call', a, b);
      await talk(world, 3, [b.endpoint, forB]);
      expect(a.endpoint.heard).toHaveLength(3);
      await relay.delete('call');
    },
  );

  relayTest('legacy hold: nothing is sent to 0.0.0.0, and the other party is told so', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA, forB } = await connect(relay, 'call', a, b);
    await talk(world, 5, [a.endpoint, forA], [b.endpoint, forB]);
    const held = await connect(relay, 'call', { ...a, media: { address: '0.0.0.0' } }, b);
    expect(held.toldB).toContain('c=IN IP4 0.0.0.0');
    await talk(world, 5, [b.endpoint, forB]);
    expect(a.endpoint.heard).toHaveLength(5);
    expect(relay.totals.packets.nowhere).toBe(5);
    await connect(relay, 'call', a, b);
    await talk(world, 5, [b.endpoint, forB]);
    expect(a.endpoint.heard).toHaveLength(10);
    await relay.delete('call');
  });
});

describe('what is left behind', () => {
  relayTest('an offer that nobody answers: its ports go with the call', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    await relay.offer({ ...exchangeOf('call', a, b), sdp: a.endpoint.sdp() });
    expect(relay.totals.ports.used).toBe(2);
    await relay.delete('call', 'b1');
    expect(relay.totals.ports.used).toBe(0);
    await relay.delete('call');
    expect(relay.totals.calls).toBe(0);
  });

  relayTest('deleting twice, or what was never there, is no error', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const told: unknown[] = [];
    relay.events.on('media.stats', (event) => told.push(event));
    const { forA } = await connect(relay, 'call', a, b);
    await talk(world, 2, [a.endpoint, forA]);
    const [first, second] = await Promise.all([relay.delete('call'), relay.delete('call')]);
    expect(first.streams).toHaveLength(2);
    expect(second).toEqual({ path: 'relay', streams: [] });
    expect(await relay.delete('call', 'a')).toEqual({ path: 'relay', streams: [] });
    expect(await relay.stats('other')).toEqual({ path: 'relay', streams: [] });
    expect(told).toEqual([{ tenantId: 'office', callId: 'call', stats: first }]);
  });

  relayTest('a call that ends while its offer is being prepared leaves nothing open', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const offering = relay.offer({ ...exchangeOf('call', a, b), sdp: a.endpoint.sdp() });
    const late = relay.offer({ ...exchangeOf('call', a, b), sdp: a.endpoint.sdp() });
    await Promise.all([offering, late, relay.delete('call')]);
    expect(relay.totals).toMatchObject({ calls: 0, ports: { used: 0 } });
  });

  relayTest('an answer after the end, or to no offer, comes back as it is and opens nothing', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    await connect(relay, 'call', a, b);
    await relay.delete('call');
    const sdp = b.endpoint.sdp();
    expect(await relay.answer({ ...exchangeOf('call', b, a), sdp })).toBe(sdp);
    expect(relay.totals).toMatchObject({ calls: 0, ports: { used: 0 } });
  });

  relayTest(
    'no port left: the offer is refused, what there is goes on, and nothing of the refused one stays',
    async (world) => {
      const relay = relayIn(world, { ports: { from: 20_000, to: 20_004 } });
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const { forA } = await connect(relay, 'call', a, b);
      await expect(relay.offer({ ...exchangeOf('second', a, b), sdp: a.endpoint.sdp() })).rejects.toMatchObject({
        code: 'MEDIA_NO_PORT',
      });
      expect(relay.totals.ports).toMatchObject({ total: 3, used: 2 });
      await talk(world, 2, [a.endpoint, forA]);
      expect(b.endpoint.heard).toHaveLength(2);
      await relay.delete('call');
      await relay.delete('second');
    },
  );

  relayTest(
    'no port left for an offer of many streams: those that were opened for it are free at once',
    async (world) => {
      const relay = relayIn(world, { ports: { from: 20_000, to: 20_010 } });
      const { a, b } = await parties(world);
      world.use(a.endpoint);
      world.use(b.endpoint);
      const sdp = a.endpoint.sdp() + 'm=audio 4002 RTP/AVP 0\r\n'.repeat(3);
      for (let i = 0; i < 3; i++) {
        await expect(relay.offer({ ...exchangeOf('greedy', a, b), sdp })).rejects.toMatchObject({
          code: 'MEDIA_NO_PORT',
        });
        expect(relay.totals.ports).toEqual({ total: 6, free: 6, used: 0, resting: 0 });
      }
      await connect(relay, 'call', a, b);
      await relay.delete('call');
      await relay.delete('greedy');
    },
  );

  relayTest('of an offer with 64 streams 16 are relayed, the others are refused (RFC 3264 §6)', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const streams = (sdp: string): string => sdp + 'm=video 4002 RTP/AVP 31\r\n'.repeat(63);
    const told = await relay.offer({ ...exchangeOf('call', a, b), sdp: streams(a.endpoint.sdp()) });
    const ports = mediaSummary(parseSdp(told)).map(({ port }) => port);
    expect(ports).toHaveLength(64);
    expect(ports.slice(16)).toEqual(Array(48).fill(0));
    expect(relay.totals).toMatchObject({ streams: 16, ports: { used: 32 } });
    // A party that takes no notice gets no further.
    await relay.answer({ ...exchangeOf('call', b, a), sdp: streams(b.endpoint.sdp()) });
    expect(relay.totals).toMatchObject({ streams: 16, ports: { used: 32 } });
    await relay.delete('call');
  });

  relayTest('an answer with streams that were not offered opens nothing (RFC 3264 §6)', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    await relay.offer({ ...exchangeOf('call', a, b), sdp: a.endpoint.sdp() });
    const more = b.endpoint.sdp() + 'm=audio 4002 RTP/AVP 0\r\n'.repeat(15);
    await relay.answer({ ...exchangeOf('call', b, a), sdp: more });
    expect(relay.totals).toMatchObject({ streams: 1, ports: { used: 2, resting: 0 } });
    await relay.delete('call');
  });

  relayTest('a second answer, such as that of a 200 after a 183, opens no more than was offered', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    await connect(relay, 'call', a, b);
    const more = b.endpoint.sdp() + 'm=audio 4002 RTP/AVP 0\r\n'.repeat(15);
    await relay.answer({ ...exchangeOf('call', b, a), sdp: more });
    expect(relay.totals).toMatchObject({ streams: 1, ports: { used: 2, resting: 0 } });
    await relay.delete('call');
  });

  relayTest('what is no description is refused and changes nothing', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    const { forA } = await connect(relay, 'call', a, b);
    for (const sdp of ['', 'hello', 'v=0\r\n', `${a.endpoint.sdp()}m=audio x RTP/AVP 0\r\n`]) {
      await expect(relay.offer({ ...exchangeOf('call', a, b), sdp })).rejects.toMatchObject({
        code: 'SDP_PARSE',
        kind: 'remote',
      });
      await expect(relay.answer({ ...exchangeOf('call', b, a), sdp })).rejects.toMatchObject({ code: 'SDP_PARSE' });
    }
    await talk(world, 2, [a.endpoint, forA]);
    expect(b.endpoint.heard).toHaveLength(2);
    await relay.delete('call');
  });

  relayTest('close ends all calls, and no new one begins', async (world) => {
    const relay = relayIn(world);
    const { a, b } = await parties(world);
    world.use(a.endpoint);
    world.use(b.endpoint);
    await connect(relay, 'one', a, b);
    await connect(relay, 'two', a, b);
    await relay.close();
    expect(relay.totals).toMatchObject({ calls: 0, streams: 0, ports: { used: 0 } });
    await expect(relay.offer({ ...exchangeOf('three', a, b), sdp: a.endpoint.sdp() })).rejects.toMatchObject({
      code: 'PBX_WRONG_STATE',
    });
  });
});

test('a relay needs an address and a range that has ports', () => {
  const { network, scheduler } = createWorld({ seed: 1 }).ports;
  const misuse = expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' });
  expect(() => relayIn(createWorld({ seed: 1 }), { addresses: [] })).toThrow(misuse);
  expect(() => relayIn(createWorld({ seed: 1 }), { network, scheduler, ports: { from: 30_000, to: 20_000 } })).toThrow(
    misuse,
  );
});
