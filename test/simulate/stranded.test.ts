/** Which calls at phones the simulation forgives the PBX: those that no message can end any more, and no others. */
import { describe, expect } from 'vitest';
import type { Machine } from '../../src/testing/machine.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { seenBy } from '../support/wire.js';
import { strandedCalls } from './stranded.js';

async function phoneOn(world: World, machine: Machine, transport: 'udp' | 'tcp'): Promise<VirtualPhone> {
  const server = { address: '192.0.2.1', port: 5060 };
  const phone = world.use(
    new VirtualPhone({ machine, number: '101', domain: DOMAIN, password: 'secret-101', server, transport }),
  );
  expect((await world.run(() => phone.register())).status).toBe(200);
  return phone;
}

/** What the simulation asks at its end. */
function stranded(world: World, machine: Machine, { calls }: VirtualPhone): number {
  return strandedCalls(world, [{ machine, calls: calls.filter(({ state }) => state.kind !== 'ended') }]).length;
}

describe('a phone that cannot be told the end of a call (RFC 3261 §9.1, §15.1.1)', () => {
  officeScenario('its NAT box has forgotten it: the BYE never comes', {}, async (office, world) => {
    const alice = await office.registered('100');
    const behind = world.nat({ publicAddress: '203.0.113.9', kind: 'address-restricted' });
    const machine = world.host('bob', '192.168.9.10', { behind });
    const bob = await phoneOn(world, machine, 'udp');
    const { call, answered } = await office.talk(alice, bob);
    // 30 s after the phone's last packet; nothing has been sent to it, so this alone is nobody's excuse.
    await world.advance({ seconds: 31 });
    expect(stranded(world, machine, bob)).toBe(0);
    call.hangUp();
    await office.quiet();
    expect(office.record.legs.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
    expect(answered.state.kind).toBe('talking');
    expect(stranded(world, machine, bob)).toBe(1);
    answered.hangUp();
    await office.quiet();
    expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
  });

  officeScenario('its NAT box has forgotten it: the CANCEL never comes', {}, async (office, world) => {
    const alice = await office.registered('100');
    const behind = world.nat({ publicAddress: '203.0.113.9' });
    const machine = world.host('bob', '192.168.9.10', { behind });
    const bob = await phoneOn(world, machine, 'udp');
    const call = alice.call('101');
    await world.until(bob.ringing);
    await world.advance({ seconds: 1 });
    behind.rebind();
    expect(stranded(world, machine, bob)).toBe(0);
    call.cancel();
    await office.quiet();
    expect(bob.ringing()).toBe(true);
    expect(stranded(world, machine, bob)).toBe(1);
    bob.calls[0]?.hangUp();
    await office.quiet();
    expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
  });

  officeScenario(
    'the INVITE came out of a stalled connection after timer B: no CANCEL may follow it',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const machine = world.host('bob', '10.0.0.9');
      const bob = await phoneOn(world, machine, 'tcp');
      await world.advance({ seconds: 1 });
      const begin = world.clock.now();
      const heal = world.network.isolate(machine.host);
      const call = alice.call('101');
      await world.advance({ seconds: 33 });
      expect(call.state).toMatchObject({ kind: 'ended', status: 408 });
      expect(bob.calls).toHaveLength(0);
      heal();
      // TCP tries again at 25.4 s and 51 s.
      await world.until(bob.ringing);
      await office.quiet();
      expect(seenBy(world, 'bob', begin)).toEqual(['<INVITE', '>180']);
      expect(stranded(world, machine, bob)).toBe(1);
      bob.calls[0]?.hangUp();
      await office.quiet();
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
      expect(office.record.leg('b1')).toMatchObject({ outcome: 'unreachable' });
    },
  );
});

describe('a phone that can be told and was not is a fault', () => {
  officeScenario('that rings, that talks: nobody has sent it the end', {}, async (office, world) => {
    const alice = await office.registered('100');
    const machine = world.host('bob', '10.0.0.9');
    const bob = await phoneOn(world, machine, 'udp');
    const call = alice.call('101');
    await world.until(bob.ringing);
    await world.advance({ seconds: 20 });
    expect(stranded(world, machine, bob)).toBe(0);
    bob.calls[0]?.answer();
    await world.until(call.talking());
    await world.advance({ seconds: 60 });
    expect(stranded(world, machine, bob)).toBe(0);
    call.hangUp();
    await office.quiet();
    expect(bob.calls[0]?.state.kind).toBe('ended');
  });

  officeScenario('that got the BYE and goes on talking', {}, async (office, world) => {
    const alice = await office.registered('100');
    const machine = world.host('bob', '10.0.0.9');
    const bob = await phoneOn(world, machine, 'udp');
    const { call } = await office.talk(alice, bob);
    call.hangUp();
    await office.quiet();
    // As if the phone had not heard it.
    expect(strandedCalls(world, [{ machine, calls: bob.calls }])).toEqual([]);
  });
});
