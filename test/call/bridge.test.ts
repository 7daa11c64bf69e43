/** Two sessions joined: what a re-INVITE and a BYE of one side mean to the other. */
import { describe, expect } from 'vitest';
import { officeScenario } from '../support/office.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';
import { MarkingEngine } from './ports.js';

describe('a re-INVITE passes', () => {
  officeScenario('one after the other, from both sides, in order', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    for (let i = 0; i < 3; i++) {
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      await world.advance({ ms: 50 });
      expect((await world.run(() => answered.hold())).kind).toBe('accepted');
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      await world.advance({ ms: 50 });
    }
    expect(call.media.remote).toContain('a=sendrecv');
    call.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(1);
  });

  officeScenario('the phone’s own refusal comes back with its reason', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    answered.onModify = (modify) => modify.reject(606, 'No Codec');
    expect(await world.run(() => call.hold())).toEqual({ kind: 'rejected', status: 606, reason: 'No Codec' });
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'CANCEL of a re-INVITE reaches the other phone; the call goes on (RFC 3261 §14.1)',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      answered.onModify = () => {};
      const begin = world.clock.now();
      const abort = new AbortController();
      const result = call.session?.modify({ sdp: call.media.hold(), signal: abort.signal });
      await world.advance({ ms: 500 });
      abort.abort();
      expect((await world.run(() => result))?.kind).toBe('ended');
      await world.advance({ seconds: 2 });
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>100', '<CANCEL', '>200', '>487', '<ACK']);
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      call.hangUp();
      await office.quiet();
    },
  );

  const engine = new MarkingEngine();
  officeScenario(
    'a media engine that fails: 500, and the call goes on as it was',
    { pbx: { media: engine } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      engine.before = () => Promise.reject(new Error('no port left'));
      expect(await world.run(() => call.hold())).toMatchObject({ kind: 'rejected', status: 500 });
      await world.advance({ seconds: 5 });
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      engine.before = () => Promise.resolve();
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('BYE passes', () => {
  officeScenario('with its Reason (RFC 3326), which is also on record', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    call.session?.end({ Reason: 'Q.850;cause=16;text="Normal"' });
    await world.until(answered.ended());
    const bye = messagesOf(world, '101').find((each) => each.method === 'BYE');
    expect(headerOf(bye as never, 'Reason')).toBe('Q.850;cause=16;text="Normal"');
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ releasedBy: 'this-party', cause: 'Q.850;cause=16;text="Normal"' });
    expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'other-party', cause: 'Q.850;cause=16;text="Normal"' });
  });

  officeScenario('of both sides at once: one record, nothing left', {}, async (office) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    call.hangUp();
    answered.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect([alice.busy, bob.busy]).toEqual([
      { dialogs: 0, transactions: 0 },
      { dialogs: 0, transactions: 0 },
    ]);
  });

  officeScenario(
    'to a phone that has vanished: the other side is free at once, the rest after 64·T1',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      await world.run(() => bob.close());
      const begin = world.clock.now();
      call.hangUp();
      await world.until(() => office.records.length === 1);
      expect(world.clock.now() - begin).toBeLessThan(100);
      await office.quiet();
      expect(answered.state).toEqual({ kind: 'ended', by: 'this-phone' });
    },
  );
});
