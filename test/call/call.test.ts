/** The router and media ports of a call. */
import { describe, expect } from 'vitest';

import type { RouteContext } from '../../src/call/route.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import { ANSWER } from '../dialog/stack.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';
import { deciding, MarkingEngine, NOWHERE, targetOf } from './ports.js';

const ON_101 = '101';

describe('the router is asked again after each attempt that failed', () => {
  const second: VirtualPhone[] = [];
  officeScenario(
    'no answer: the second destination rings; the caller sees one 180 and both legs are on record',
    {
      pbx: {
        router: deciding((context, last) =>
          context.called === ON_101 && last?.kind === 'no-answer'
            ? { kind: 'targets', targets: [targetOf(second[0] as VirtualPhone)], called: '102', noAnswerSeconds: 30 }
            : undefined,
        ),
        calls: { noAnswerSeconds: 10 },
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101');
      const carol = await office.phone('102');
      second.push(carol);
      const begin = world.clock.now();
      const next = carol.incoming();
      const call = alice.call('101');
      const rings = await world.run(() => next);
      expect(world.clock.now() - begin).toBeGreaterThanOrEqual(10_000);
      await world.advance({ seconds: 5 });
      rings.answer();
      await world.until(call.talking());
      call.hangUp();
      await office.quiet();
      expect(seenBy(world, '100', begin).filter((each) => each === '<180')).toHaveLength(1);
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      expect(office.record.legs.map(({ id, number, outcome: how }) => [id, number, how])).toEqual([
        ['a', '100', 'answered'],
        ['b1', '101', 'no-answer'],
        ['b2', '102', 'answered'],
      ]);
    },
  );

  officeScenario(
    'busy: a handler takes the call over (voicemail in small)',
    {
      pbx: {
        router: deciding((_context, last) =>
          last?.kind === 'busy'
            ? { kind: 'handler', run: async (call) => void (await call.accept(ANSWER)) }
            : undefined,
        ),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101', { onCall: (call) => call.reject(486) });
      const call = alice.call('101');
      await world.until(call.ended());
      expect(butOrigin(call.media.remote)).toBe(butOrigin(ANSWER));
      await office.quiet();
      expect(office.record.legs.map(({ id, outcome: how }) => [id, how])).toEqual([
        ['a', 'answered'],
        ['b1', 'busy'],
      ]);
    },
  );

  const contexts: RouteContext[] = [];
  officeScenario(
    'it is told who calls, what was dialled, from where, and a signal that fires with the caller',
    {
      pbx: {
        router: deciding((context) => {
          contexts.push(context);
          return undefined;
        }),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101');
      const call = alice.call('101');
      await world.until(call.ringing());
      expect(contexts).toMatchObject([
        {
          tenantId: 'default',
          caller: { number: '100', extension: '100', displayName: 'Person 100' },
          called: '101',
          requestUri: { user: '101', host: 'office.test' },
          source: { remote: { address: '10.0.0.1' } },
          redirections: 0,
        },
      ]);
      expect(contexts[0]?.callId).toBe(office.pbx.calls[0]?.id);
      expect(contexts[0]?.signal.aborted).toBe(false);
      call.cancel();
      await world.until(call.ended());
      expect(contexts[0]?.signal.aborted).toBe(true);
      await office.quiet();
    },
  );

  officeScenario(
    'one that always sends it back to the same busy phone is stopped after ten attempts',
    {
      pbx: {
        router: deciding((_c, last) =>
          last === undefined ? undefined : { kind: 'targets', targets: [], called: '101' },
        ),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101', { onCall: (call) => call.reject(486) });
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 482 });
      await office.quiet();
      expect(office.records).toHaveLength(1);
    },
  );

  officeScenario(
    'reject: the status, the reason and the Reason headers reach the caller (RFC 3326)',
    {
      pbx: {
        router: deciding(() => ({
          kind: 'reject',
          status: 603,
          reason: 'Not Now',
          reasonHeaders: ['Q.850;cause=21', 'SIP;cause=603'],
        })),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 603, reason: 'Not Now' });
      const answer = messagesOf(world, '100').find((each) => each.status === 603);
      expect(headerOf(answer as never, 'Reason')).toBe('Q.850;cause=21, SIP;cause=603');
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({
        outcome: 'rejected',
        releasedBy: 'server',
        status: 603,
        cause: 'Not Now',
      });
    },
  );

  officeScenario(
    'one that throws: 500, one record, an error in the log',
    { pbx: { router: deciding(() => Promise.reject(new Error('a bug of the router'))) } },
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 500 });
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ outcome: 'failed', status: 500 });
      expect(world.log.lines('error')).toHaveLength(1);
    },
  );

  const late: (() => void)[] = [];
  officeScenario(
    'one that is slow: CANCEL is answered at once, and what it says later is of no interest',
    {
      pbx: {
        router: deciding(
          () =>
            new Promise((_, reject) => {
              late.push(() => reject(new Error('too late')));
            }),
        ),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('101');
      await world.advance({ seconds: 3 });
      const begin = world.clock.now();
      call.cancel();
      await world.until(call.ended());
      expect(world.clock.now() - begin).toBeLessThan(100);
      expect(office.records).toHaveLength(1);
      late[0]?.();
      await office.quiet();
      expect(world.log.lines('warn')).toEqual([]);
    },
  );

  officeScenario(
    'an address where nobody is, and one that cannot be resolved: unreachable, then the own router’s word',
    {
      pbx: {
        router: deciding((_context, last) =>
          last === undefined ? { kind: 'targets', targets: [NOWHERE], called: '101', noAnswerSeconds: 60 } : undefined,
        ),
      },
    },
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('101');
      await world.until(call.ended());
      expect([408, 480]).toContain((call.state as { status: number }).status);
      await office.quiet();
      expect(office.record.leg('b1')).toMatchObject({ outcome: 'unreachable', releasedBy: 'network' });
    },
  );
});

describe('the media engine stands before every description that leaves (architecture decision 4)', () => {
  const engine = new MarkingEngine();
  officeScenario(
    'offer to each leg, answer back, both ways in a re-INVITE, deleted once',
    { pbx: { media: { path: 'relay', engine: engine } } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      expect(butOrigin(answered.media.remote)).toBe(`${butOrigin(call.media.local)}a=through:offer-b1\r\n`);
      expect(butOrigin(call.media.remote)).toBe(`${butOrigin(answered.media.local)}a=through:answer-a\r\n`);
      expect((await world.run(() => answered.hold())).kind).toBe('accepted');
      expect(call.media.remote).toContain('a=through:offer-a\r\n');
      expect(answered.media.remote).toContain('a=through:answer-b1\r\n');
      expect((await world.run(() => call.reinvite())).kind).toBe('accepted');
      await world.advance({ ms: 100 });
      expect(engine.asked).toEqual([
        'offer a>b1',
        'answer b1>a',
        'offer b1>a',
        'answer a>b1',
        'offer b1>a',
        'answer a>b1',
      ]);
      const [{ id } = { id: '' }] = office.pbx.calls;
      call.hangUp();
      await office.quiet();
      expect(engine.deleted).toEqual([id]);
    },
  );

  const failing = new MarkingEngine();
  failing.before = () => Promise.reject(new Error('no port left'));
  officeScenario(
    'one that fails at the offer: 500, and no phone rings',
    { pbx: { media: { path: 'relay', engine: failing } } },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101');
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 500 });
      await office.quiet();
      expect(seenBy(world, '101')).not.toContain('<INVITE');
      expect(failing.deleted).toHaveLength(1);
    },
  );

  const failingAnswer = new MarkingEngine();
  failingAnswer.before = (what) => (what === 'answer' ? Promise.reject(new Error('no port left')) : Promise.resolve());
  officeScenario(
    'one that fails at the answer: 500 to the caller, the callee is hung up',
    { pbx: { media: { path: 'relay', engine: failingAnswer } } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101', { onCall: (each) => each.answer() });
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 500 });
      await office.quiet();
      expect(bob.calls[0]?.state.kind).toBe('ended');
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
      expect(office.records).toHaveLength(1);
      for (const leg of office.record.legs) expect(leg.endedAt).toBeDefined();
    },
  );

  const slow = new MarkingEngine();
  officeScenario(
    'one that is slow: the caller gives up meanwhile, and no phone rings',
    { pbx: { media: { path: 'relay', engine: slow } } },
    async (office, world) => {
      slow.before = () => new Promise((resolve) => world.ports.scheduler.after(5000, () => resolve()));
      const alice = await office.registered('100');
      await office.registered('101');
      const call = alice.call('101');
      await world.advance({ seconds: 1 });
      call.cancel();
      await world.until(call.ended());
      await office.quiet();
      expect(seenBy(world, '101')).not.toContain('<INVITE');
      expect(office.records).toHaveLength(1);
    },
  );

  const slowAnswer = new MarkingEngine();
  officeScenario(
    'slow at the answer: the caller gives up, the callee gets ACK and BYE',
    { pbx: { media: { path: 'relay', engine: slowAnswer } } },
    async (office, world) => {
      slowAnswer.before = (what) =>
        new Promise((resolve) => world.ports.scheduler.after(what === 'answer' ? 3000 : 0, () => resolve()));
      const alice = await office.registered('100');
      const bob = await office.registered('101', { onCall: (each) => each.answer() });
      const begin = world.clock.now();
      const call = alice.call('101');
      await world.advance({ seconds: 1 });
      call.cancel();
      await world.until(call.ended());
      await office.quiet();
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>200', '<ACK', '<BYE', '>200']);
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
      for (const leg of office.record.legs) expect(leg.endedAt).toBeDefined();
    },
  );

  officeScenario(
    'slow at the answer: the callee hangs up meanwhile',
    { pbx: { media: { path: 'relay', engine: slowAnswer } } },
    async (office, world) => {
      slowAnswer.before = (what) =>
        new Promise((resolve) => world.ports.scheduler.after(what === 'answer' ? 3000 : 0, () => resolve()));
      const alice = await office.registered('100');
      const bob = await office.registered('101', { onCall: (each) => each.answer() });
      const call = alice.call('101');
      await world.until(() => bob.calls[0]?.state.kind === 'talking');
      await world.advance({ seconds: 1 });
      bob.calls[0]?.hangUp();
      await world.until(call.ended());
      await office.quiet();
      expect(office.records).toHaveLength(1);
      for (const leg of office.record.legs) expect(leg.endedAt).toBeDefined();
      expect(alice.busy).toEqual({ dialogs: 0, transactions: 0 });
    },
  );
});

describe('a call that the host ends (endCall)', () => {
  const slow = new MarkingEngine();
  officeScenario(
    'while a slow media engine has the answer: 480 to the caller, ACK and BYE to the callee (RFC 3261 §13.2.2.4)',
    { pbx: { media: { path: 'relay', engine: slow } } },
    async (office, world) => {
      slow.before = (what) =>
        what === 'offer'
          ? Promise.resolve()
          : new Promise((resolve) => world.ports.scheduler.after(5000, () => resolve()));
      const alice = await office.registered('100');
      const bob = await office.registered('101', { onCall: (each) => each.answer() });
      const begin = world.clock.now();
      const call = alice.call('101');
      await world.until(() => slow.asked.includes('answer b1>a'));
      expect(office.pbx.endCall(office.pbx.calls[0]?.id ?? '')).toBe(true);
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 480 });
      await world.advance({ seconds: 6 });
      expect(office.pbx.calls).toEqual([]);
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>200', '<ACK', '<BYE', '>200']);
      await office.quiet();
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
      expect(office.record.talkMs).toBe(0);
      expect(office.record.leg('b1')).toMatchObject({ outcome: 'cancelled' });
      expect(slow.deleted).toHaveLength(1);
    },
  );
});
