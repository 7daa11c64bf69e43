import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datagramKind } from '../../../src/protocol/rtp/demultiplex.js';
import { createWorld } from '../../../src/testing/world.js';
import { runScenario } from '../../support/scenario.js';
import { connect, Endpoint, relayIn, rtcpOf, rtcpPacket, rtpPacket, talk } from './support.js';

const sum = (counters: object): number =>
  Object.values(counters).reduce((total: number, each: number) => total + each, 0);

/** Bytes that look like something: a first byte of each kind, lengths that lie, headers cut short. */
const datagram = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(
      fc.constantFrom(0x80, 0x90, 0xa0, 0xbf, 0x00, 0x01, 0x16, 0x40, 0xff),
      fc.nat(255),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([first, second, rest]) => Uint8Array.from([first, second, ...rest])),
  fc.tuple(fc.nat(65_535), fc.nat(180)).map(([sequence, length]) => rtpPacket({ sequence }).slice(0, length)),
  fc.nat(12).map((length) => rtcpPacket().slice(0, length)),
  fc.constantFrom(9_001, 20_000, 65_507).map((length) => {
    const giant = new Uint8Array(length);
    giant.set(rtpPacket({ sequence: 1 }));
    return giant;
  }),
);

describe('whatever comes to the ports of a relay', () => {
  test('each datagram is counted once, none throws, and only what is media is heard', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(datagram, fc.boolean(), fc.constantFrom('peer', 'same host', 'stranger')), { maxLength: 60 }),
        async (datagrams) => {
          const world = createWorld({ seed: 1 });
          const relay = relayIn(world);
          const machine = world.host('a', '10.0.0.5');
          const a = await Endpoint.on(machine);
          const sameHost = await Endpoint.on(machine, 4100);
          const stranger = await Endpoint.on(world.host('x', '198.51.100.66'));
          const b = await Endpoint.on(world.host('b', '10.0.0.6'));
          const { forA } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
          const senders = { peer: a, 'same host': sameHost, stranger };
          for (const [bytes, onRtp, sender] of datagrams) senders[sender].send(onRtp ? forA : rtcpOf(forA), bytes);
          await world.advance({ ms: 50 });
          expect(sum(relay.totals.packets)).toBe(datagrams.length);
          for (const { bytes } of b.heard) expect(['rtp', 'dtls']).toContain(datagramKind(bytes));
          for (const { bytes } of b.heardRtcp) expect(datagramKind(bytes)).toBe('rtcp');
          expect(stranger.heard.length + sameHost.heard.length).toBe(0);
          await Promise.all([relay.close(), a.close(), b.close(), sameHost.close(), stranger.close()]);
          expect(world.leaks()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the call goes on through all of it', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA, forB } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      const rubbish = fc
        .sample(datagram, { numRuns: 200, seed: 7 })
        .filter((bytes) => !['rtp', 'rtcp', 'dtls'].includes(datagramKind(bytes)));
      expect(rubbish.length).toBeGreaterThan(50);
      for (const bytes of rubbish) {
        a.send(forA, bytes);
        a.send(rtcpOf(forA), bytes);
        await talk(world, 1, [a, forA], [b, forB]);
      }
      expect(b.heard).toHaveLength(rubbish.length);
      expect(a.heard).toHaveLength(rubbish.length);
      expect((await relay.delete('call')).streams[0]).toMatchObject({
        packetsReceived: rubbish.length,
        packetsLost: 0,
        packetsDropped: 2 * rubbish.length,
      });
    }));

  test('STUN on media ports is counted and gets no answer: nothing to amplify, nobody to find', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      const binding = new Uint8Array([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array(12).fill(7)]);
      a.send(forA, binding);
      a.send(rtcpOf(forA), binding);
      await world.advance({ ms: 50 });
      expect(relay.totals.packets).toMatchObject({ stun: 2, relayed: 0 });
      expect([a.heard, b.heard, b.heardRtcp]).toEqual([[], [], []]);
      await relay.delete('call');
    }));

  test('a flood from the peer itself is cut at 5,000 packets a second and leg', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      for (let i = 0; i < 6_000; i++) a.say(forA);
      await world.advance({ ms: 20 });
      expect(relay.totals.packets).toMatchObject({ relayed: 5_000, flood: 1_000 });
      await world.advance({ seconds: 1 });
      await talk(world, 5, [a, forA]);
      expect(relay.totals.packets).toMatchObject({ relayed: 5_005, flood: 1_000 });
      await relay.delete('call');
    }));
});
