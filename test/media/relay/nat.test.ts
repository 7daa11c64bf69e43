import { describe, expect, test } from 'vitest';
import type { NatKind } from '../../../src/testing/nat.js';
import { runScenario } from '../../support/scenario.js';
import { connect, Endpoint, type Party, relayIn, rtcpOf, talk } from './support.js';

/** Long enough for both to be learned: three packets each are held back until the fourth proves the address. */
const LEARNED = 4;

describe('phones behind NAT hear each other (RFC 7362 §4)', () => {
  const kinds: readonly NatKind[] = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric'];
  const pairs = kinds.flatMap((one) => kinds.map((other) => ({ one, other })));
  test.each(pairs)(
    'one behind a $one box, the other behind a $other one, both with private addresses in SDP',
    ({ one, other }) =>
      runScenario({ seed: `${one} ${other}` }, async (world) => {
        const relay = relayIn(world);
        const nats = [
          world.nat({ publicAddress: '203.0.113.1', kind: one }),
          world.nat({ publicAddress: '203.0.113.2', kind: other }),
        ] as const;
        const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nats[0] })));
        const b = world.use(await Endpoint.on(world.host('b', '192.168.1.10', { behind: nats[1] })));
        const { forA, forB } = await connect(
          relay,
          'call',
          { endpoint: a, legId: 'a', seenAt: '203.0.113.1' },
          { endpoint: b, legId: 'b1', seenAt: '203.0.113.2' },
        );
        await talk(world, LEARNED, [a, forA], [b, forB]);
        await talk(world, 10, [a, forA], [b, forB]);
        expect(a.heard.slice(-10).map(({ ssrc }) => ssrc)).toEqual(Array(10).fill(b.ssrc));
        expect(b.heard.slice(-10).map(({ ssrc }) => ssrc)).toEqual(Array(10).fill(a.ssrc));

        a.sendRtcp(rtcpOf(forA));
        b.sendRtcp(rtcpOf(forB));
        await world.advance({ ms: 20 });
        a.sendRtcp(rtcpOf(forA));
        b.sendRtcp(rtcpOf(forB));
        await world.advance({ ms: 20 });
        expect(a.heardRtcp.length).toBeGreaterThan(0);
        expect(b.heardRtcp.length).toBeGreaterThan(0);

        const { streams } = await relay.delete('call');
        expect(streams.map(({ source }) => source?.address)).toEqual(['203.0.113.1', '203.0.113.2']);
        expect(streams.map(({ packetsReceived, packetsDropped }) => [packetsReceived, packetsDropped])).toEqual([
          [11, 3],
          [11, 3],
        ]);
      }),
  );

  test('one phone behind NAT, the other reached directly', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const party: Party = { endpoint: a, legId: 'a', seenAt: '203.0.113.1' };
      const { forA, forB } = await connect(relay, 'call', party, { endpoint: b, legId: 'b1' });
      await talk(world, 14, [a, forA], [b, forB]);
      expect(b.heard).toHaveLength(11);
      expect(a.heard).toHaveLength(11);
      await relay.delete('call');
    }));

  test('a NAT that rebinds in the middle of a call is followed within a second and four packets', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const party: Party = { endpoint: a, legId: 'a', seenAt: '203.0.113.1' };
      const { forA, forB } = await connect(relay, 'call', party, { endpoint: b, legId: 'b1' });
      await talk(world, 20, [a, forA], [b, forB]);
      const [before] = (await relay.stats('call')).streams;
      nat.rebind();
      await talk(world, 54, [a, forA], [b, forB]);
      const [after] = (await relay.stats('call')).streams;
      expect(after?.source?.address).toBe('203.0.113.1');
      expect(after?.source?.port).not.toBe(before?.source?.port);
      const heard = a.heard.length;
      await talk(world, 10, [a, forA], [b, forB]);
      expect(a.heard.length - heard).toBe(10);
      await relay.delete('call');
    }));

  test('without the signalling address the phone is not learned: nothing is guessed', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world);
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA, forB } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      await talk(world, 10, [a, forA], [b, forB]);
      expect([a.heard.length, b.heard.length]).toEqual([0, 0]);
      await relay.delete('call');
    }));

  test('learning from anywhere is a choice', () =>
    runScenario({ seed: 1 }, async (world) => {
      const relay = relayIn(world, { learning: { fromAnywhere: true } });
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const { forA, forB } = await connect(relay, 'call', { endpoint: a, legId: 'a' }, { endpoint: b, legId: 'b1' });
      await talk(world, 10, [a, forA], [b, forB]);
      expect([a.heard.length, b.heard.length]).toEqual([7, 7]);
      await relay.delete('call');
    }));

  test.each([0.05, 0.2])('with a loss of %d the address is learned all the same', (loss) =>
    runScenario({ seed: `loss ${loss}`, loss }, async (world) => {
      const relay = relayIn(world);
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const a = world.use(await Endpoint.on(world.host('a', '192.168.1.10', { behind: nat })));
      const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
      const party: Party = { endpoint: a, legId: 'a', seenAt: '203.0.113.1' };
      const { forA, forB } = await connect(relay, 'call', party, { endpoint: b, legId: 'b1' });
      await talk(world, 100, [a, forA], [b, forB]);
      const [fromA] = (await relay.delete('call')).streams;
      expect(fromA?.source?.address).toBe('203.0.113.1');
      expect(b.heard.length).toBeGreaterThan(50);
      // What is lost is told: the relay sees the first of the two ways.
      expect(fromA?.packetsLost).toBeGreaterThan(0);
    }),
  );
});
