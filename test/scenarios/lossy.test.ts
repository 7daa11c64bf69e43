/** Whole calls over a wire that loses, doubles and reorders datagrams: whatever it does, nothing is left of a call. */
import { describe, expect } from 'vitest';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';

const CONDITIONS = { delayMs: [2, 40], loss: 0.15, duplicate: 0.08, reorder: 0.1 } as const;
const SEEDS = 40;

/** Registers however often it takes: a transaction may lose all its eleven copies. */
async function register(world: World, phone: VirtualPhone): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    if ((await world.run(() => phone.register())).status === 200) return;
  }
  throw new Error(`${phone.number} could not register`);
}

/** After everything has run out nothing of any call is left, and each call that the PBX saw is on record once. */
async function expectNothingLeft(office: Office, world: World, phones: readonly VirtualPhone[], started: string[]) {
  await world.advance({ seconds: 120 });
  expect(office.pbx.calls).toEqual([]);
  for (const phone of phones) {
    expect(phone.busy).toEqual({ dialogs: 0, transactions: 0 });
    for (const call of phone.calls) expect(call.state.kind).toBe('ended');
  }
  expect(office.records.map((record) => record.id).sort()).toEqual([...started].sort());
  for (const record of office.records) {
    expect(record.endedAt).toBeDefined();
    for (const leg of record.legs)
      expect(leg).toMatchObject({ endedAt: expect.any(Number), outcome: expect.any(String) });
  }
  const loud = world.log.lines('error');
  expect(loud).toEqual([]);
}

/** The ids of the calls that were started. */
function startedIn(office: Office): string[] {
  const started: string[] = [];
  office.pbx.on('call.started', ({ record }) => started.push(record.id));
  return started;
}

/** What the seeds did, so that a run in which nothing ever connects does not pass for a good one. */
const met = { talked: 0, held: 0 };

describe('register, call, hold, resume, hang up', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    officeScenario(`seed ${seed}`, { seed, ...CONDITIONS }, async (office, world) => {
      const started = startedIn(office);
      const alice = await office.phone('100');
      const bob = await office.phone('101', { onCall: (call) => call.ring() });
      await register(world, alice);
      await register(world, bob);
      const call = alice.call('101');
      await world.until(() => bob.ringing() || call.state.kind === 'ended');
      await world.advance({ ms: 700 });
      const [answered] = bob.calls;
      if (answered?.state.kind === 'ringing') answered.answer();
      await world.until(call.talking());
      if (call.state.kind === 'talking') {
        met.talked++;
        const held = await world.run(() => call.hold());
        if (held.kind === 'accepted') {
          met.held++;
          expect(call.media.remote).toContain('a=recvonly');
        }
        // Longer than a 2xx is repeated: an ACK that is not sent again would end the call here.
        await world.advance({ seconds: 35 });
        if (held.kind === 'accepted') expect([call.state.kind, answered?.state.kind]).toEqual(['talking', 'talking']);
        if (call.state.kind === 'talking') await world.run(() => call.resume());
        await world.advance({ ms: 500 });
        const by = seed % 2 === 0 ? call : answered;
        if (by?.state.kind === 'talking') by.hangUp();
      }
      await expectNothingLeft(office, world, [alice, bob], started);
      expect(office.records).toHaveLength(1);
      expect(office.record.legs.map((leg) => leg.id)).toEqual(call.state.kind === 'ended' ? ['a', 'b1'] : []);
    });
  }

  officeScenario('most of them connected, and were held', {}, async () => {
    expect(met.talked).toBeGreaterThan(SEEDS * 0.9);
    expect(met.held).toBeGreaterThan(SEEDS * 0.8);
  });
});

describe('giving up at a random moment', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    officeScenario(`seed ${seed}`, { seed: 1000 + seed, ...CONDITIONS }, async (office, world) => {
      const started = startedIn(office);
      const alice = await office.phone('100');
      const [one, two] = [
        await office.phone('101', { onCall: (call) => call.ring() }),
        await office.phone('101', { onCall: (call) => call.earlyMedia() }),
      ];
      for (const phone of [alice, one, two]) await register(world, phone);
      const random = world.random.fork('the test');
      const call = alice.call('101', { lateOffer: random.chance(0.3) });
      // Somewhere around the answer the caller or the callee gives up.
      await world.advance({ ms: random.between(0, 1500) });
      for (const phone of [one, two]) {
        if (random.chance(0.6) && phone.ringing()) phone.calls[0]?.answer();
        await world.advance({ ms: random.between(0, 60) });
      }
      call.hangUp();
      await world.advance({ ms: random.between(0, 200) });
      for (const phone of [one, two]) for (const each of phone.calls) if (each.state.kind !== 'ended') each.hangUp();
      await expectNothingLeft(office, world, [alice, one, two], started);
      expect(office.records.length).toBeLessThanOrEqual(1);
    });
  }
});

describe('re-INVITEs from both sides, and BYE in between', () => {
  for (let seed = 1; seed <= 15; seed++) {
    officeScenario(`seed ${seed}`, { seed: 2000 + seed, ...CONDITIONS }, async (office, world) => {
      const started = startedIn(office);
      const alice = await office.phone('100');
      const bob = await office.phone('101', { onCall: (call) => call.answer() });
      await register(world, alice);
      await register(world, bob);
      const call = alice.call('101');
      await world.until(call.talking());
      const random = world.random.fork('the test');
      const answered = bob.calls[0];
      const all: Promise<unknown>[] = [];
      for (let i = 0; i < 6; i++) {
        const side = random.chance(0.5) ? call : answered;
        if (side?.state.kind === 'talking') all.push(random.chance(0.7) ? side.hold() : side.reinvite());
        await world.advance({ ms: random.between(0, 400) });
      }
      (random.chance(0.5) ? call : answered)?.hangUp();
      await world.run(() => Promise.all(all));
      await expectNothingLeft(office, world, [alice, bob], started);
      expect(office.records).toHaveLength(1);
    });
  }
});
