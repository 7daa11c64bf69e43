/** Calls that leave and enter the office by external lines: the worked case of the product facts (part 1), flows C10, G1–G6, M1, M2. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { twoCarriers, WORKED_CASE } from '../support/carrier.js';

describe('the worked case: 9xxxx by line 1234, 8xxxx by line 5678, the first digit deleted', () => {
  for (const [dialled, line, carrier] of [
    ['95551', '1234', 'a'],
    ['85551', '5678', 'b'],
  ] as const) {
    twoCarriers(
      `${dialled} arrives as 5551 by line ${line}`,
      { pbx: { dialPlan: WORKED_CASE } },
      async (parts, world) => {
        const alice = await parts.office.registered('100');
        const far = await parts[carrier].subscriber('5551');
        const next = far.incoming();
        const call = alice.call(dialled);
        const answered = await world.run(() => next);
        expect(answered.invite.request.from.uri).toMatchObject({ user: line });
        answered.answer();
        await world.until(call.talking());
        await world.advance({ seconds: 3 });
        expect(parts.office.pbx.lines.find(({ name }) => name === line)?.inUse).toEqual({ out: 1, in: 0 });
        call.hangUp();
        await parts.office.quiet();
        const { record } = parts.office;
        expect([record.caller, record.called]).toEqual(['100', dialled]);
        expect(record.leg('b1')).toMatchObject({ via: line, number: '5551', outcome: 'answered' });
        expect(record.leg('a').via).toBeUndefined();
        expect(parts.office.pbx.lines.map(({ inUse }) => inUse.out)).toEqual([0, 0]);
        expect(parts[carrier].records).toMatchObject([{ caller: line, called: '5551' }]);
      },
    );
  }

  twoCarriers(
    'a number without a rule is a local one: 404',
    { pbx: { dialPlan: WORKED_CASE } },
    async ({ office }, world) => {
      const alice = await office.registered('100');
      const call = alice.call('5551');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 404 });
    },
  );
});

describe('which line', () => {
  twoCarriers('without a rule: 9 and any line, in turn', {}, async ({ office, a, b }, world) => {
    const alice = await office.registered('100');
    const phones = [await a.subscriber('5551'), await b.subscriber('5551')];
    for (let i = 0; i < 6; i++) {
      const call = alice.call('95551');
      await world.until(call.ringing());
      call.cancel();
      await world.until(call.ended());
    }
    expect(phones.map(({ calls }) => calls.length)).toEqual([3, 3]);
    await office.quiet();
    expect(office.pbx.lines.map(({ inUse }) => inUse.out)).toEqual([0, 0]);
  });

  twoCarriers(
    'C10: one carrier cannot serve: the other is tried, and the caller hears one ring',
    {},
    async ({ office, a, b }, world) => {
      const alice = await office.registered('100');
      const far = await b.subscriber('5551');
      await world.run(() => a.pbx.close());
      const next = far.incoming();
      const call = alice.call('95551');
      const answered = await world.run(() => next);
      answered.answer();
      await world.until(call.talking());
      expect(call.progress.filter(({ status }) => status === 180)).toHaveLength(1);
      call.hangUp();
      await office.quiet();
      expect(office.record.legs.map(({ via, outcome }) => [via, outcome])).toEqual([
        [undefined, 'answered'],
        ['1234', 'unreachable'],
        ['5678', 'answered'],
      ]);
    },
  );

  twoCarriers('the user’s own no is no reason to try another: 486', {}, async ({ office, a, b }, world) => {
    const alice = await office.registered('100');
    const phones = [await a.subscriber('5551'), await b.subscriber('5551')];
    const next = phones[0]?.incoming() ?? expect.fail('no phone');
    const call = alice.call('95551');
    (await world.run(() => next)).reject(486);
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 486 });
    expect(phones.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });

  twoCarriers(
    'all calls that a line may have are up: 480 with the reason; free again when one ends',
    { pbx: { dialPlan: WORKED_CASE } },
    async ({ office, a }, world) => {
      const [alice, bob] = [await office.registered('100'), await office.registered('101')];
      const far = await a.subscriber('5551');
      const next = far.incoming();
      const call = alice.call('95551');
      (await world.run(() => next)).answer();
      await world.until(call.talking());
      const second = bob.call('95551');
      await world.until(second.ended());
      expect(second.state).toMatchObject({ status: 480, reason: 'No Line Available (1234: full)' });
      call.hangUp();
      await world.advance({ seconds: 1 });
      const third = bob.call('95551');
      await world.until(third.ringing());
      third.cancel();
      await office.quiet();
    },
    { 1234: { maxCalls: 1 } },
  );
});

describe('calls that come in', () => {
  twoCarriers(
    'by the account’s number: to where the line leads; the caller’s number is shown; the line stands in the record',
    {},
    async ({ office, a }, world) => {
      const alice = await office.registered('100');
      const far = await a.subscriber('5551');
      const next = alice.incoming();
      const call = far.call('1234');
      const answered = await world.run(() => next);
      expect(answered.invite.request.from.uri).toMatchObject({ user: '5551', host: 'office.test' });
      answered.answer();
      await world.until(call.talking());
      expect(office.pbx.lines[0]?.inUse).toEqual({ out: 0, in: 1 });
      call.hangUp();
      await office.quiet();
      expect(office.record).toMatchObject({ caller: '5551', called: '1234' });
      expect(office.record.leg('a')).toMatchObject({ via: '1234', outcome: 'answered' });
      expect(office.pbx.lines[0]?.inUse).toEqual({ out: 0, in: 0 });
    },
    { 1234: { inbound: '100' } },
  );

  twoCarriers(
    'a line that leads nowhere: its owner; without one, 404',
    {},
    async ({ office, a, b }, world) => {
      const bob = await office.registered('101');
      const [first, second] = [await a.subscriber('5551'), await b.subscriber('5551')];
      const call = first.call('1234');
      await world.until(call.ringing());
      expect(bob.calls).toHaveLength(1);
      call.cancel();
      const other = second.call('5678');
      await world.until(other.ended());
      expect(other.state).toMatchObject({ status: 404 });
    },
    { 1234: { owner: '101' } },
  );

  twoCarriers(
    'more than the line may have: 486, and the others go on',
    {},
    async ({ office, a }, world) => {
      const alice = await office.registered('100');
      const far = await a.subscriber('5551');
      const next = alice.incoming();
      const call = far.call('1234');
      (await world.run(() => next)).answer();
      await world.until(call.talking());
      const second = far.call('1234');
      await world.until(second.ended());
      expect(second.state).toMatchObject({ status: 486 });
      expect(call.state.kind).toBe('talking');
      call.hangUp();
      await office.quiet();
    },
    { 1234: { inbound: '100', maxInboundCalls: 1 } },
  );

  twoCarriers(
    'M1: a caller on the black list: 403, and nobody rings',
    { pbx: { dialPlan: { blackList: [{ caller: '555' }] } } },
    async ({ office, a }, world) => {
      const alice = await office.registered('100');
      const call = (await a.subscriber('5551')).call('1234');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 403 });
      expect(alice.calls).toHaveLength(0);
    },
    { 1234: { inbound: '100' } },
  );

  twoCarriers(
    'a caller from outside does not get out again by another line',
    { pbx: { dialPlan: { called: [{ prefix: '7', route: { kind: 'line', line: '5678' } }] } } },
    async ({ a, b }, world) => {
      const target = await b.subscriber('5551');
      const call = (await a.subscriber('5551')).call('1234');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 403 });
      expect(target.calls).toHaveLength(0);
    },
    { 1234: { inbound: '75551' } },
  );
});

describe('who may call out', () => {
  const LEVELS: PbxOptions['dialPlan'] = {
    called: [{ prefix: '90', route: { kind: 'line' }, level: 'abroad' }],
    levels: ['abroad'],
  };
  twoCarriers(
    'M2: a prefix that asks for a call level: 403 without it, out with it',
    {
      pbx: {
        dialPlan: LEVELS,
        extensions: [
          { number: '100', password: 'secret-100', levels: ['abroad'] },
          { number: '101', password: 'secret-101' },
        ],
      },
    },
    async ({ office }, world) => {
      const [alice, bob] = [await office.registered('100'), await office.registered('101')];
      const refused = bob.call('9044');
      const allowed = alice.call('9044');
      await world.until(refused.ended());
      await world.until(allowed.ended());
      expect(refused.state).toMatchObject({ status: 403 });
      // The carrier knows no such number: it has been asked.
      expect(allowed.state).toMatchObject({ status: 404 });
      await office.quiet();
      expect(office.records.map(({ legs }) => legs.length).sort()).toEqual([1, 2]);
    },
  );

  twoCarriers(
    'a line of one’s own: others are refused',
    { pbx: { dialPlan: WORKED_CASE } },
    async ({ office, a }, world) => {
      const [alice, bob] = [await office.registered('100'), await office.registered('101')];
      await a.subscriber('5551');
      const refused = bob.call('95551');
      await world.until(refused.ended());
      expect(refused.state).toMatchObject({ status: 480, reason: 'No Line Available (1234: not-owner)' });
      const allowed = alice.call('95551');
      await world.until(allowed.ringing());
      allowed.cancel();
      await office.quiet();
    },
    { 1234: { owner: '100' } },
  );
});

describe('the caller gives up', () => {
  twoCarriers('G2, G6: before and after it rings: the carrier is told, the line is free', {}, async (parts, world) => {
    const { office, a, b } = parts;
    const alice = await office.registered('100');
    const phones = [await a.subscriber('5551'), await b.subscriber('5551')];
    const early = alice.call('95551');
    await world.advance({ ms: 12 });
    early.cancel();
    await world.until(early.ended());
    const late = alice.call('95551');
    await world.until(late.ringing());
    late.cancel();
    await world.until(late.ended());
    await office.quiet();
    expect(office.pbx.lines.map(({ inUse }) => inUse.out)).toEqual([0, 0]);
    expect(phones.flatMap(({ calls }) => calls.map(({ state }) => state.kind))).not.toContain('ringing');
  });
});
