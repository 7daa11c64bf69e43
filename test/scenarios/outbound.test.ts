/** Flows that phones keep: RFC 5626, with and without an edge proxy (RFC 3327). */
import { describe, expect } from 'vitest';
import type { NameAddr } from '../../src/protocol/sip/name-addr.js';
import type { RegisterResult, VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"';

/** Two edge proxies between which one phone keeps a flow each, 101's: the same instance, two reg-ids. */
async function twoEdges(world: World): Promise<readonly [RawPeer, RawPeer]> {
  const edges = [
    await RawPeer.open(world, { name: 'edge1', address: '10.1.0.1' }),
    await RawPeer.open(world, { name: 'edge2', address: '10.1.0.2' }),
  ] as const;
  for (const [i, edge] of edges.entries()) {
    await world.advance({ ms: 10 });
    await edge.register('101', 'secret-101', {
      contact: `<sip:101@172.16.0.9>;${INSTANCE};reg-id=${i + 1}`,
      headers: [
        'Via: SIP/2.0/UDP 172.16.0.9:5060;branch=z9hG4bKphone',
        `Path: <sip:flow${i + 1}@${edge.address};lr;ob>`,
        'Supported: path, outbound',
      ],
    });
  }
  return edges;
}

/** Registers a flow of its own: by instance and reg-id. */
function registerFlow(world: World, phone: VirtualPhone, regId = 1): Promise<RegisterResult> {
  const contact: NameAddr = {
    ...phone.contact,
    params: [
      { name: '+sip.instance', value: '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"' },
      { name: 'reg-id', value: String(regId) },
    ],
  };
  return world.run(() => phone.register({ contacts: [contact], headers: { Supported: ['path', 'outbound'] } }));
}

describe('RFC 5626 §7: a phone with two flows, by two edge proxies', () => {
  officeScenario('only one flow rings', {}, async (office, world) => {
    const [one, two] = await twoEdges(world);
    const alice = await office.registered('100');
    const call = alice.call('101');
    const invite = await two.expect('INVITE');
    expect([invite.uri, invite.header('Route')]).toEqual(['sip:101@172.16.0.9', '<sip:flow2@10.1.0.2;lr;ob>']);
    const answered = two.take(invite);
    answered.respond(180);
    await world.advance({ seconds: 5 });
    answered.respond(200, {
      body: 'v=0\r\no=raw 1 1 IN IP4 10.1.0.2\r\ns=-\r\nc=IN IP4 10.1.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n',
    });
    await world.until(call.talking());
    expect(one.heard).not.toContain('INVITE');
    call.hangUp();
    two.respond(await two.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario(
    '430 from its edge proxy: the other flow rings, and nobody else hears of it',
    {},
    async (office, world) => {
      const [one, two] = await twoEdges(world);
      const alice = await office.registered('100');
      const call = alice.call('101');
      const failed = two.take(await two.expect('INVITE'));
      failed.respond(430, { reason: 'Flow Failed' });
      await two.expect('ACK');
      const invite = await one.expect('INVITE');
      expect(invite.header('Route')).toBe('<sip:flow1@10.1.0.1;lr;ob>');
      one.take(invite).respond(486);
      await one.expect('ACK');
      await world.until(() => call.state.kind === 'ended');
      await office.quiet();
      // one leg for one phone, however many ways it took
      expect(office.record.legs.map(({ id, outcome }) => [id, outcome])).toEqual([
        ['a', 'busy'],
        ['b1', 'busy'],
      ]);
      expect(call.state).toMatchObject({ kind: 'ended', status: 486 });
    },
  );

  officeScenario('an edge proxy that is dead: the other flow rings after timer B', {}, async (office, world) => {
    const [one, two] = await twoEdges(world);
    const alice = await office.registered('100');
    const call = alice.call('101');
    await two.expect('INVITE');
    const begin = world.clock.now();
    const invite = await one.expect('INVITE');
    expect(world.clock.now() - begin).toBeGreaterThan(31_000);
    one.take(invite).respond(603);
    await world.until(() => call.state.kind === 'ended');
    await office.quiet();
  });
});

describe('RFC 5626 without an edge proxy', () => {
  officeScenario('TCP: the flow is promised, and its end is the end of the binding', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.phone('101', { transport: 'tcp' });
    const result = await registerFlow(world, bob);
    expect(result.response?.headers.get('Require')).toEqual(['outbound']);
    expect(result.response?.headers.get('Flow-Timer')).toBe(120);
    const removed: string[] = [];
    office.pbx.on('binding.removed', ({ reason }) => removed.push(reason));
    world.machines.find(({ name }) => name === '101')?.host.resetConnections();
    await world.advance({ seconds: 1 });
    expect(removed).toEqual(['flow-failed']);
    const call = alice.call('101');
    await world.until(() => call.state.kind === 'ended');
    expect(call.state).toMatchObject({ status: 480 });
    // the phone comes back by a new connection, with the same instance and reg-id
    expect((await registerFlow(world, bob)).contacts).toHaveLength(1);
    const { call: second } = await office.talk(alice, bob);
    second.hangUp();
    await office.quiet();
  });

  officeScenario(
    'UDP behind a NAT: the flow is promised, because STUN pings are answered here',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.phone('101', { behindNat: true });
      const result = await registerFlow(world, bob);
      expect(result.response?.headers.get('Require')).toEqual(['outbound']);
      const { call } = await office.talk(alice, bob);
      call.hangUp();
      await office.quiet();
    },
  );
});
