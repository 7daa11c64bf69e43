import { describe, expect, test } from 'vitest';
import type { MediaEvents } from '../../../src/media/media-events.js';
import type { MediaRelay, MediaRelayOptions } from '../../../src/media/relay/media-relay.js';
import type { World } from '../../../src/testing/world.js';
import { runScenario } from '../../support/scenario.js';
import { connect, Endpoint, exchangeOf, type Party, relayIn, rtcpOf, talk } from './support.js';

type Told = { readonly [Name in keyof MediaEvents]: { readonly name: Name } & MediaEvents[Name] }[keyof MediaEvents];

function listen(relay: MediaRelay): Told[] {
  const told: Told[] = [];
  for (const name of ['media.oneWay', 'media.lost'] as const) {
    relay.events.on(name, (event) => told.push({ name, ...event } as Told));
  }
  return told;
}

async function setUp(world: World, options: Partial<MediaRelayOptions> = {}, media: Party['media'] = {}) {
  const relay = relayIn(world, options);
  const told = listen(relay);
  const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
  const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
  const [legA, legB]: [Party, Party] = [
    { endpoint: a, legId: 'a', media },
    { endpoint: b, legId: 'b1', media },
  ];
  return { relay, told, a, b, legA, legB, ...(await connect(relay, 'call', legA, legB)) };
}

const seconds = (count: number): number => 50 * count;

const oneWay = {
  name: 'media.oneWay',
  tenantId: 'office',
  callId: 'call',
  silentLeg: 'b1',
  deafLeg: 'a',
  stream: 0,
};

describe('media.oneWay', () => {
  test('one party talks, of the other nothing comes: told once, after five seconds', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, forA } = await setUp(world);
      await talk(world, seconds(4.9), [a, forA]);
      expect(told).toEqual([]);
      await talk(world, seconds(20), [a, forA]);
      expect(told).toEqual([{ ...oneWay, cause: 'nothing-received' }]);
      await relay.delete('call');
    }));

  test('its packets come from an address that is neither described nor that of its signalling: wrong-source', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, forA, forB } = await setUp(world);
      const elsewhere = world.use(await Endpoint.on(world.host('b behind another way out', '203.0.113.44')));
      await talk(world, seconds(7), [a, forA], [elsewhere, forB]);
      expect(told).toEqual([{ ...oneWay, cause: 'wrong-source' }]);
      expect(elsewhere.heard).toEqual([]);
      await relay.delete('call');
    }));

  test('it falls silent in the middle of the call; heard again and silent again, it is told again', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, b, forA, forB } = await setUp(world);
      await talk(world, seconds(10), [a, forA], [b, forB]);
      expect(told).toEqual([]);
      await talk(world, seconds(8), [a, forA]);
      expect(told).toHaveLength(1);
      await talk(world, seconds(3), [a, forA], [b, forB]);
      await talk(world, seconds(8), [a, forA]);
      expect(told).toHaveLength(2);
      await relay.delete('call');
    }));

  test('RFC 3389: who has agreed to comfort noise may pause, but must be heard once', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, b, forA, forB } = await setUp(world, {}, { formats: ['0', '13'] });
      await talk(world, seconds(1), [a, forA], [b, forB]);
      await talk(world, seconds(20), [a, forA]);
      expect(told).toEqual([]);
      await relay.delete('call');
      const { forA: again } = await connect(
        relay,
        'call',
        { endpoint: a, legId: 'a', media: { formats: ['0', '13'] } },
        { endpoint: b, legId: 'b1', media: { formats: ['0', '13'] } },
      );
      await talk(world, seconds(8), [a, again]);
      expect(told).toEqual([{ ...oneWay, cause: 'nothing-received' }]);
      await relay.delete('call');
    }));

  test.each(['sendonly', 'inactive'] as const)(
    'not while the other party holds with %s; after the hold the wait begins anew',
    (direction) =>
      runScenario({ seed: 1 }, async (world) => {
        const { relay, told, a, b, legA, legB, forA, forB } = await setUp(world);
        await talk(world, seconds(2), [a, forA], [b, forB]);
        await connect(
          relay,
          'call',
          { ...legA, media: { direction } },
          { ...legB, media: { direction: direction === 'inactive' ? 'inactive' : 'recvonly' } },
        );
        await talk(world, seconds(30), [a, forA]);
        expect(told).toEqual([]);
        await connect(relay, 'call', legA, legB);
        await talk(world, seconds(4.9), [a, forA]);
        expect(told).toEqual([]);
        await talk(world, seconds(3), [a, forA]);
        expect(told).toEqual([{ ...oneWay, cause: 'nothing-received' }]);
        await relay.delete('call');
      }),
  );

  test('not before the offer is answered, and not when both are silent', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, b, legA, legB } = await setUp(world);
      await world.advance({ seconds: 60 });
      const { forA } = await connect(relay, 'second', legA, legB);
      await relay.offer({ ...exchangeOf('third', legA, legB), sdp: a.sdp() });
      await relay.delete('second');
      await talk(world, seconds(10), [a, forA], [b, forA]);
      expect(told).toEqual([]);
      await relay.delete('call');
      await relay.delete('third');
    }));

  test('the time is an option', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, forA } = await setUp(world, { timeouts: { oneWayMs: 2_000 } });
      await talk(world, seconds(3.2), [a, forA]);
      expect(told).toEqual([{ ...oneWay, cause: 'nothing-received' }]);
      await relay.delete('call');
    }));
});

describe('media.lost', () => {
  const lost = { name: 'media.lost', tenantId: 'office', callId: 'call', legs: ['a', 'b1'] };

  test('nothing from either party for 300 s: told once, until packets come again', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, b, forA, forB } = await setUp(world);
      await talk(world, seconds(5), [a, forA], [b, forB]);
      await world.advance({ seconds: 299 });
      expect(told).toEqual([]);
      await world.advance({ seconds: 600 });
      expect(told).toMatchObject([{ ...lost, state: 'call' }]);
      expect(told[0]).toMatchObject({ silentMs: expect.closeTo(300_000, -4) });
      await talk(world, seconds(2), [a, forA], [b, forB]);
      await world.advance({ seconds: 302 });
      expect(told).toHaveLength(2);
      await relay.delete('call');
    }));

  test('RTCP is a sign of life', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, a, forA } = await setUp(world, { timeouts: { callMs: 10_000 } });
      for (let i = 0; i < 10; i++) {
        a.sendRtcp(rtcpOf(forA));
        await world.advance({ seconds: 5 });
      }
      expect(told).toEqual([]);
      await world.advance({ seconds: 12 });
      expect(told).toMatchObject([lost]);
      await relay.delete('call');
    }));

  test('on hold the wait is 1,800 s, and begins with the hold', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, legA, legB } = await setUp(world);
      await world.advance({ seconds: 200 });
      await connect(
        relay,
        'call',
        { ...legA, media: { direction: 'inactive' } },
        { ...legB, media: { direction: 'inactive' } },
      );
      await world.advance({ seconds: 1_799 });
      expect(told).toEqual([]);
      await world.advance({ seconds: 4 });
      expect(told).toMatchObject([{ ...lost, state: 'hold' }]);
      await relay.delete('call');
    }));

  test('strangers’ packets are no sign of life', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, told, forA } = await setUp(world, { timeouts: { callMs: 10_000 } });
      const stranger = world.use(await Endpoint.on(world.host('x', '198.51.100.66')));
      await talk(world, seconds(12), [stranger, forA]);
      expect(told).toMatchObject([lost]);
      await relay.delete('call');
    }));
});

test('a relay without calls has no timer; with calls it has one', () =>
  runScenario({ seed: 1 }, async (world) => {
    const { relay, legA, legB } = await setUp(world);
    for (let i = 0; i < 20; i++) await connect(relay, `call ${i}`, legA, legB);
    await world.advance({ seconds: 10 });
    expect(world.pbx.pendingTimers).toBe(1);
    for (let i = 0; i < 20; i++) await relay.delete(`call ${i}`);
    await relay.delete('call');
    expect(world.pbx.pendingTimers).toBe(0);
  }));

describe('media.stats', () => {
  test('loss and jitter of each leg by RFC 3550 §A.3 and §A.8, in the clock of what is sent', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, b, forA } = await setUp(world);
      // PCMA, with packets lost on the way and every other one 10 ms late.
      for (let i = 0; i < 100; i++) {
        await world.advance({ ms: i % 2 === 0 ? 10 : 30 });
        if (i % 10 === 5) a.sequence++;
        a.say(forA, { payloadType: 8 });
      }
      await world.advance({ ms: 50 });
      const ended: unknown[] = [];
      relay.events.on('media.stats', (event) => ended.push(event));
      const stats = await relay.delete('call');
      const [fromA, fromB] = stats.streams;
      expect(fromA).toMatchObject({ packetsReceived: 100, packetsLost: 10, packetsDropped: 0 });
      expect(fromA?.jitterMs).toBeGreaterThan(5);
      expect(fromA?.jitterMs).toBeLessThan(25);
      expect(fromB).toMatchObject({ packetsReceived: 0, jitterMs: 0 });
      expect(fromB).not.toHaveProperty('source');
      expect(b.heard).toHaveLength(100);
      expect(ended).toEqual([{ tenantId: 'office', callId: 'call', stats }]);
    }));

  test('a stream of unknown clock rate has no jitter', () =>
    runScenario({ seed: 1 }, async (world) => {
      const { relay, a, forA } = await setUp(world, {}, { formats: ['0', '111'] });
      for (let i = 0; i < 20; i++) {
        await world.advance({ ms: i % 2 === 0 ? 10 : 30 });
        a.say(forA, { payloadType: 111 });
      }
      await world.advance({ ms: 50 });
      expect((await relay.delete('call')).streams[0]).toMatchObject({ packetsReceived: 20, jitterMs: 0 });
    }));
});
