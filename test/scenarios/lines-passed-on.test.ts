/** Calls that are passed on to the outside: by whose right they go, and what they take of a line until the end (RFC 5589, RFC 5806). */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { World } from '../../src/testing/world.js';
import { twoCarriers, WORKED_CASE } from '../support/carrier.js';
import { DOMAIN, type Office } from '../support/office.js';
import { headerOf, messagesOf } from '../support/wire.js';

const to = (number: string) => sipUri({ user: number, host: DOMAIN });
const LEVELS = {
  ...WORKED_CASE,
  levels: ['outside'],
  called: [{ prefix: '9', route: { kind: 'line', line: '1234' }, transform: 1, level: 'outside' }],
} as const;
const people = (...owners: string[]) =>
  ['100', '101', '102'].map((number) => ({
    number,
    password: `secret-${number}`,
    ...(owners.includes(number) ? { levels: ['outside'] } : {}),
  }));
const inUse = (office: Office) => office.pbx.lines.map(({ inUse: { out, in: incoming } }) => [out, incoming]);

/** Nothing is taken any more, and every leg of every call has ended once. */
async function allFree(office: Office): Promise<void> {
  await office.quiet();
  expect(inUse(office)).toEqual([
    [0, 0],
    [0, 0],
  ]);
  for (const { legs } of office.records) expect(legs.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
}

const firstInvite = (world: World, machine: string) =>
  messagesOf(world, machine).find(({ method }) => method === 'INVITE') ?? expect.fail('no INVITE');

describe('a phone sends a call on to the outside', () => {
  for (const [owner, ends] of [
    ['101', 'ringing'],
    ['100', 'ended'],
  ] as const) {
    twoCarriers(
      `by its own right, not the caller’s: ${owner} may call out`,
      { pbx: { dialPlan: LEVELS, extensions: people(owner) } },
      async ({ office, a }, world) => {
        const far = await a.subscriber('5551');
        const alice = await office.registered('100');
        await office.registered('101', { onCall: (call) => call.redirect(to('95551')) });
        const call = alice.call('101');
        await world.until(ends === 'ended' ? call.ended() : () => far.calls.length > 0);
        expect(far.calls).toHaveLength(ends === 'ended' ? 0 : 1);
        if (ends === 'ended') expect(call.state).toMatchObject({ status: 403 });
        else {
          expect(headerOf(firstInvite(world, 'carrier-a'), 'Diversion')).toContain('sip:101@');
          call.cancel();
        }
        await allFree(office);
      },
    );
  }

  twoCarriers(
    'a caller from outside reaches the outside so, and takes a channel each way',
    { pbx: { dialPlan: WORKED_CASE } },
    async ({ office, a, b }, world) => {
      const far = await a.subscriber('5551');
      await office.registered('101', { onCall: (call) => call.redirect(to('95551')) });
      const next = far.incoming();
      const call = (await b.subscriber('5551')).call('5678');
      (await world.run(() => next)).answer();
      await world.until(call.talking());
      expect(inUse(office)).toEqual([
        [1, 0],
        [0, 1],
      ]);
      call.hangUp();
      await allFree(office);
    },
    { 5678: { inbound: '101' } },
  );
});

describe('transfer to the outside', () => {
  for (const [owner, status] of [
    ['100', 200],
    ['101', 403],
  ] as const) {
    twoCarriers(
      `blind, by the transferor’s right: ${owner} may call out`,
      { pbx: { dialPlan: LEVELS, extensions: people(owner) } },
      async ({ office, a }, world) => {
        const far = await a.subscriber('5551');
        const next = far.incoming();
        const [alice, bob] = [await office.registered('100'), await office.registered('101')];
        const { call, answered } = await office.talk(alice, bob);
        const transfer = call.transfer({ to: to('95551') });
        await world.run(() => transfer.answered);
        if (status === 200) {
          (await world.run(() => next)).answer();
          await world.run(() => transfer.settled);
          await world.until(call.ended());
          await world.advance({ seconds: 2 });
          expect(inUse(office)[0]).toEqual([1, 0]);
        } else {
          await world.run(() => transfer.settled);
          expect(transfer.told.at(-1)).toMatch(/^403 /);
          call.hangUp();
        }
        answered.hangUp();
        await allFree(office);
      },
    );
  }

  twoCarriers(
    'attended: the consultation’s channel goes with it to the other call, and is free when that one ends',
    { pbx: { dialPlan: WORKED_CASE } },
    async ({ office, a }, world) => {
      const far = await a.subscriber('5551');
      const [alice, bob] = [await office.registered('100'), await office.registered('101')];
      const { call, answered } = await office.talk(alice, bob);
      await world.run(() => call.hold());
      const next = far.incoming();
      const consultation = alice.call('95551');
      (await world.run(() => next)).answer();
      await world.until(consultation.talking());
      await world.advance({ seconds: 1 });
      const transfer = call.transfer({ to: to('95551'), replacing: consultation });
      await world.run(() => transfer.settled);
      expect(transfer.told.at(-1)).toBe('200 OK');
      await world.advance({ seconds: 2 });
      expect(inUse(office)[0]).toEqual([1, 0]);
      answered.hangUp();
      await allFree(office);
    },
  );
});
