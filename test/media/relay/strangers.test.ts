import { describe, expect, test } from 'vitest';
import type { World } from '../../../src/testing/world.js';
import { runScenario } from '../../support/scenario.js';
import { connect, Endpoint, RELAY, relayIn, rtcpPacket, rtpPacket, talk } from './support.js';

/** Small, so that each port of it can be tried. */
const PORTS = { from: 20_000, to: 20_498 };

async function talking(world: World) {
  const relay = relayIn(world, { ports: PORTS });
  const nat = world.nat({ publicAddress: '203.0.113.1' });
  const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
  const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
  const attacker = world.use(await Endpoint.on(world.host('attacker', '198.51.100.66'), 5000));
  const set = await connect(
    relay,
    'call',
    { endpoint: a, legId: 'a', seenAt: '203.0.113.1' },
    { endpoint: b, legId: 'b1' },
  );
  return { relay, a, b, attacker, ...set };
}

describe('RTP bleed and injection', () => {
  test('RTP bleed: a sprayer over every port of the range gets not one byte, and disturbs nobody', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, attacker, forA, forB } = await talking(world);
      await talk(world, 5, [a, forA], [b, forB]);
      const before = [a.heard.length, b.heard.length];
      for (let round = 0; round < 6; round++) {
        for (let port = PORTS.from; port <= PORTS.to + 1; port++) {
          attacker.send(
            { address: RELAY, port },
            port % 2 === 0 ? rtpPacket({ sequence: round, ssrc: 77 }) : rtcpPacket(77),
          );
        }
        await talk(world, 5, [a, forA], [b, forB]);
      }
      expect(attacker.heard).toEqual([]);
      expect(attacker.heardRtcp).toEqual([]);
      expect([a.heard.length, b.heard.length].map((count, i) => count - (before[i] as number))).toEqual([30, 30]);
      expect([...a.heard, ...b.heard].some(({ ssrc }) => ssrc === 77)).toBe(false);
      expect(relay.totals.packets.strangers).toBe(6 * 4);
      await relay.delete('call');
    }));

  test('a sprayer that is there before the phones cannot take their place', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, attacker, forA, forB } = await talking(world);
      for (let sequence = 0; sequence < 50; sequence++) {
        attacker.send(forA, rtpPacket({ sequence, ssrc: 77 }));
        attacker.send(forB, rtpPacket({ sequence, ssrc: 77 }));
        await world.advance({ ms: 20 });
      }
      await talk(world, 14, [a, forA], [b, forB]);
      expect(attacker.heard).toEqual([]);
      expect(b.heard.map(({ ssrc }) => ssrc)).toEqual(Array(11).fill(a.ssrc));
      await relay.delete('call');
    }));

  test('injection: the right SSRC and the next sequence number from a wrong source are dropped and counted', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, attacker, forA, forB } = await talking(world);
      await talk(world, 5, [a, forA], [b, forB]);
      const heard = b.heard.length;
      for (let i = 0; i < 20; i++) {
        attacker.send(forA, rtpPacket({ sequence: a.sequence, ssrc: a.ssrc, text: 'injected' }));
        await talk(world, 1, [a, forA], [b, forB]);
      }
      expect(b.heard).toHaveLength(heard + 20);
      expect(b.heard.some(({ bytes }) => Buffer.from(bytes).includes('injected'))).toBe(false);
      const [fromA] = (await relay.stats('call')).streams;
      expect(fromA).toMatchObject({ packetsDropped: 23, packetsLost: 0 });
      expect(fromA?.source?.address).toBe('203.0.113.1');
      await relay.delete('call');
    }));

  test('a flood of one port by a stranger takes nothing of the peer’s share', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, attacker, forA, forB } = await talking(world);
      await talk(world, 5, [a, forA], [b, forB]);
      const heard = b.heard.length;
      for (let i = 0; i < 7_000; i++) attacker.send(forA, rtpPacket({ sequence: i & 0xffff, ssrc: 77 }));
      await world.advance({ ms: 1 });
      await talk(world, 10, [a, forA], [b, forB]);
      expect(b.heard).toHaveLength(heard + 10);
      expect(relay.totals.packets).toMatchObject({ strangers: 7_000, flood: 0 });
      await relay.delete('call');
    }));

  test('a foreign RTCP BYE reaches nobody', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, attacker, forA, forB } = await talking(world);
      await talk(world, 5, [a, forA], [b, forB]);
      const bye = new Uint8Array([0x81, 203, 0, 1, 0, 0, 0, 1]);
      for (const to of [forA, forB, { ...forA, port: forA.port + 1 }, { ...forB, port: forB.port + 1 }]) {
        attacker.send(to, bye);
      }
      await world.advance({ ms: 20 });
      expect([a.heardRtcp, b.heardRtcp]).toEqual([[], []]);
      expect(relay.totals.packets.strangers).toBe(4);
      await relay.delete('call');
    }));

  test('after the call its ports answer nobody, and late packets reach no new call', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, forA, forB } = await talking(world);
      await talk(world, 5, [a, forA], [b, forB]);
      await relay.delete('call');
      const heard = b.heard.length;
      const next = await connect(relay, 'next', { endpoint: b, legId: 'a' }, { endpoint: b, legId: 'b1' });
      expect([next.forA.port, next.forB.port]).not.toContain(forA.port);
      await talk(world, 10, [a, forA]);
      expect(b.heard).toHaveLength(heard);
      await relay.delete('next');
    }));
});

describe('a relay that is fed its own ports as addresses', () => {
  test('of the same stream: nothing is sent there', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA, forB } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      for (const place of [forA, forB]) {
        const media = { address: RELAY, port: place.port };
        await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1', media });
        await talk(world, 5, [a, forA]);
      }
      expect(relay.totals.packets).toMatchObject({ relayed: 0, nowhere: 10 });
      await relay.delete('call');
    }));

  test('in a circle through two calls: it turns no faster than a stream may, and stops', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const [legA, legB] = [
        { endpoint: a, legId: 'a' },
        { endpoint: b, legId: 'b1' },
      ];
      const one = await connect(relay, 'one', legA, legB);
      const two = await connect(relay, 'two', legA, legB);
      // Each leg claims to be where the other call sends from.
      const claim = ({ port }: { port: number }) => ({ media: { address: RELAY, port } });
      await connect(relay, 'one', { ...legA, ...claim(two.forB) }, { ...legB, ...claim(two.forA) });
      await connect(relay, 'two', { ...legA, ...claim(one.forB) }, { ...legB, ...claim(one.forA) });
      await talk(world, 20, [a, two.forA]);
      const { relayed, flood } = relay.totals.packets;
      expect(relayed).toBeGreaterThan(1_000);
      expect(relayed).toBeLessThan(2 * 5_000 + 100);
      expect(flood).toBeGreaterThan(0);
      await world.advance({ seconds: 5 });
      expect(relay.totals.packets.relayed).toBe(relayed);
      await relay.delete('one');
      await relay.delete('two');
    }));
});
