/** Phones that are reached by the connection that they keep: RFC 3261 §18, RFC 5626 §5.3, RFC 3263 §4.3. */
import { describe, expect } from 'vitest';
import { parseUri } from '../../src/protocol/sip/uri.js';
import type { Machine } from '../../src/testing/machine.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { bodyOf, messagesOf, seenBy } from '../support/wire.js';

function phoneOn(machine: Machine): VirtualPhone {
  const server = { address: '192.0.2.1', port: 5060 };
  return new VirtualPhone({
    machine,
    number: '101',
    domain: DOMAIN,
    password: 'secret-101',
    server,
    transport: 'tcp',
  });
}

/** A TCP phone registers and its machine stops dead; what runs there afterwards listens and has not registered. */
async function rebooted(world: World, machine: Machine): Promise<VirtualPhone> {
  const before = phoneOn(machine);
  expect((await world.run(() => before.register())).status).toBe(200);
  machine.restart();
  const phone = world.use(phoneOn(machine));
  await world.run(() => phone.start());
  return phone;
}

describe('an open connection is the way to the phone (RFC 5626 §5.3)', () => {
  for (const slowness of ['slow', 'failing'] as const) {
    officeScenario(
      `whose Contact is a name, with a ${slowness} name service: called at once`,
      {},
      async (office, world) => {
        const alice = await office.registered('100');
        const bob = await office.phone('101', { transport: 'tcp' });
        const uri = parseUri('sip:101@desktop.lan;transport=tcp');
        expect((await world.run(() => bob.register({ contacts: [{ uri, params: [] }] }))).status).toBe(200);
        if (slowness === 'failing') world.network.dns.fail('desktop.lan');
        else world.network.dns.set('desktop.lan', ['10.0.0.2']);
        world.network.dns.delayMs = 8000;
        const begin = world.clock.now();
        const call = alice.call('101');
        await world.until(bob.ringing);
        expect(world.clock.now() - begin).toBeLessThan(200);
        expect(world.network.dns.queries).toBe(0);
        bob.calls[0]?.answer();
        await world.until(call.talking());
        call.hangUp();
        await office.quiet();
        expect(bob.calls[0]?.state.kind).toBe('ended');
      },
    );
  }

  officeScenario('one that died without a word: the Contact’s own address is tried', {}, async (office, world) => {
    const alice = await office.registered('100');
    const again = await rebooted(world, world.host('101', '10.0.0.9'));
    const begin = world.clock.now();
    const call = alice.call('101');
    await world.until(again.ringing);
    expect(world.clock.now() - begin).toBeLessThan(1000);
    again.calls[0]?.answer();
    await world.until(call.talking());
    again.calls[0]?.hangUp();
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.legs.map((leg) => leg.outcome)).toEqual(['answered', 'answered']);
  });

  officeScenario('behind a NAT it is not: that address leads to somebody else', {}, async (office, world) => {
    const alice = await office.registered('100');
    const behind = world.nat({ publicAddress: '203.0.113.9' });
    const again = await rebooted(world, world.host('101', '192.168.9.10', { behind }));
    const since = world.clock.now();
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 480 });
    expect(again.calls).toEqual([]);
    const tried = world.trace.entries.filter(
      (each) => each.sentAt >= since && each.fromHost === 'pbx' && each.to.address.startsWith('192.168.'),
    );
    expect(tried).toEqual([]);
    await office.quiet();
  });
});

describe('RFC 3263 §4.3: another way is tried only where there is one', () => {
  officeScenario('a TCP phone that answers 503 is rung once', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101', { transport: 'tcp', onCall: (call) => call.reject(503) });
    const since = world.clock.now();
    const call = alice.call('101');
    await world.until(call.ended());
    await office.quiet();
    expect(bob.calls).toHaveLength(1);
    expect(seenBy(world, '101', since)).toEqual(['<INVITE', '>503', '<ACK']);
    expect(messagesOf(world, '100', since).at(-1)?.method).toBe('ACK');
    expect(call.state).not.toMatchObject({ status: 503 });
  });
});

describe('both hang up at once, and the connection breaks before our BYE has arrived', () => {
  officeScenario('§15.1.2: theirs has ended the dialog: ours takes no other way', {}, async (office, world) => {
    const alice = await office.registered('100', { transport: 'tcp' });
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const since = world.clock.now();
    answered.hangUp();
    await world.advance({ ms: 2 });
    call.hangUp();
    // Theirs has come, ours is under way.
    await world.advance({ ms: 6 });
    world.machines.find(({ name }) => name === '100')?.host.resetConnections();
    await world.advance({ seconds: 40 });
    const sent = messagesOf(world, '100', since).filter(({ fromHost, method }) => fromHost === 'pbx' && method);
    expect(sent.map(({ method }) => method)).toEqual(['BYE']);
    expect(office.record.legs.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
    await office.quiet();
  });
});

describe('a phone behind a NAT whose connection dies while the ACK is on its way (RFC 3261 §13.2.2.4, RFC 5626 §4.3)', () => {
  officeScenario(
    'gets it by the connection that its 200 is repeated by, and the call goes on',
    {},
    async (office, world) => {
      const alice = await office.registered('100', { onCall: (call) => call.answer() });
      const bob = await office.registered('101', { transport: 'tcp', behindNat: true });
      const call = alice.call('101');
      await world.until(bob.ringing);
      bob.calls[0]?.answer();
      // The 200 has come, the ACK is under way.
      await world.advance({ ms: 7 });
      world.machines.find(({ name }) => name === '101')?.host.resetConnections();
      await world.advance({ seconds: 40 });
      expect([call.state.kind, bob.calls[0]?.state.kind]).toEqual(['talking', 'talking']);
      bob.calls[0]?.hangUp();
      await world.until(call.ended());
      await office.quiet();
    },
  );
});

describe('a re-INVITE for which there is no way (RFC 3261 §8.1.3.1)', () => {
  officeScenario(
    'RFC 3264 §8: its description takes no version: the next one is one higher than what the phone has',
    {},
    async (office, world) => {
      const alice = await office.registered('100', { onCall: (call) => call.answer() });
      const bob = await office.registered('101', { transport: 'tcp', behindNat: true });
      const { call, answered } = await office.talk(alice, bob);
      const since = world.clock.now();
      world.machines.find(({ name }) => name === '101')?.host.resetConnections();
      await world.advance({ ms: 100 });
      // Not 408, which would end the caller's dialog (RFC 3261 §14.1).
      expect(await world.run(() => call.hold())).toMatchObject({ kind: 'rejected', status: 500 });
      expect(seenBy(world, '101', since).filter((each) => each.startsWith('<'))).toEqual([]);
      // By a new connection, which the dialog uses from then on.
      expect(await world.run(() => answered.hold())).toMatchObject({ kind: 'accepted' });
      expect(await world.run(() => call.hold())).toMatchObject({ kind: 'accepted' });
      const versions = messagesOf(world, '101')
        .filter((each) => each.fromHost === 'pbx')
        .map((each) => /^o=\S+ \S+ (\d+) /m.exec(bodyOf(each))?.[1]);
      expect(versions.filter((each) => each !== undefined)).toEqual(['1', '2', '3']);
      call.hangUp();
      await world.until(answered.ended());
      await office.quiet();
    },
  );
});
