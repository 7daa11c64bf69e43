/** Flows C1–C3 and C5–C9 of RFC 3665 and RFC 3666, and N3, through the PBX. */
import { describe, expect } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { bodyOf, headerOf, messagesOf, seenBy } from '../support/wire.js';

const CALL_WITH_AUTH = ['>INVITE', '<407', '>ACK', '>INVITE'];

describe('C1: a call (RFC 3665 §3.1)', () => {
  officeScenario('the callee hangs up: nothing but the flow is on the wire', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const begin = world.clock.now();
    const { call, answered } = await office.talk(alice, bob);
    await world.advance({ seconds: 10 });
    answered.hangUp();
    await world.until(call.ended());
    await office.quiet();
    expect(seenBy(world, '100', begin)).toEqual([...CALL_WITH_AUTH, '<180', '<200', '>ACK', '<BYE', '>200']);
    expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>180', '>200', '<ACK', '>BYE', '<200']);
    expect(
      messagesOf(world, '100')
        .concat(messagesOf(world, '101'))
        .filter((each) => each.again),
    ).toEqual([]);
    expect(call.state).toEqual({ kind: 'ended', by: 'other-side' });
    expect(alice.busy).toEqual({ dialogs: 0, transactions: 0 });
    expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
  });

  officeScenario('one record with both legs: times, outcome, who released', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const next = bob.incoming();
    const started = world.clock.wallTime();
    const call = alice.call('101');
    const answered = await world.run(() => next);
    await world.advance({ seconds: 3 });
    answered.answer();
    await world.until(call.talking());
    await world.advance({ seconds: 60 });
    call.hangUp();
    await office.quiet();
    const { record } = office;
    expect(record).toMatchObject({ tenantId: 'default', caller: '100', called: '101' });
    expect(record.talkMs).toBeGreaterThanOrEqual(60_000);
    expect(record.talkMs).toBeLessThan(60_100);
    const [a, b] = [record.leg('a'), record.leg('b1')];
    expect(a).toMatchObject({
      direction: 'inbound',
      number: '100',
      displayName: 'Person 100',
      outcome: 'answered',
      releasedBy: 'this-party',
    });
    expect(b).toMatchObject({ direction: 'outbound', number: '101', outcome: 'answered', releasedBy: 'other-party' });
    expect(a.sipCallId).not.toBe(b.sipCallId);
    expect(a.startedAt - started).toBeLessThan(100);
    expect((b.answeredAt ?? 0) - (b.ringingAt ?? 0)).toBeGreaterThanOrEqual(3000);
  });

  officeScenario(
    'each leg is a dialog of its own: Call-ID, tags, Via and Contact differ, identity is kept',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call } = await office.talk(alice, bob);
      call.hangUp();
      await office.quiet();
      const sent = messagesOf(world, '100')
        .filter((each) => each.method === 'INVITE')
        .at(-1);
      const received = messagesOf(world, '101').find((each) => each.method === 'INVITE');
      if (sent === undefined || received === undefined) throw new Error('no INVITE was seen');
      expect(received.callId).not.toBe(sent.callId);
      expect(headerOf(received, 'Via')).toContain('192.0.2.1:5060');
      expect(headerOf(received, 'Contact')).toContain('192.0.2.1:5060');
      expect(headerOf(received, 'From')).toMatch(/^"Person 100" <sip:100@office\.test>;tag=/);
      expect(headerOf(received, 'To')).toBe('<sip:101@office.test>');
      expect(headerOf(received, 'Max-Forwards')).toBe('69');
      expect(butOrigin(bodyOf(received))).toBe(butOrigin(bodyOf(sent)));
      expect(bodyOf(received)).not.toBe(bodyOf(sent));
    },
  );

  officeScenario('over TCP on both legs', {}, async (office, world) => {
    const alice = await office.registered('100', { transport: 'tcp' });
    const bob = await office.registered('101', { transport: 'tcp' });
    const { call } = await office.talk(alice, bob);
    call.hangUp();
    await office.quiet();
    expect(messagesOf(world, '101').every((each) => each.protocol === 'tcp')).toBe(true);
    expect(seenBy(world, '101').slice(-6)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
  });
});

describe('C2: a call with authentication (RFC 3665 §3.3)', () => {
  officeScenario('the callee sees one INVITE and no credentials', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call } = await office.talk(alice, bob);
    call.hangUp();
    await office.quiet();
    const invites = messagesOf(world, '101').filter((each) => each.method === 'INVITE');
    expect(invites).toHaveLength(1);
    for (const message of messagesOf(world, '101')) expect(message.text).not.toMatch(/Proxy-Auth/i);
  });

  officeScenario('a wrong password is challenged once more and rings nowhere', {}, async (office, world) => {
    const alice = await office.phone('100', { password: 'wrong' });
    await office.registered('101');
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ kind: 'ended', status: 407 });
    expect(seenBy(world, '101')).not.toContain('<INVITE');
    expect(office.records).toEqual([]);
    await office.quiet();
  });
});

describe('C3: the offer in the 200, the answer in the ACK (RFC 3665 §3.6)', () => {
  officeScenario("the callee's offer reaches the caller, the caller's answer the callee", {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const next = bob.incoming();
    const call = alice.call('101', { lateOffer: true });
    const answered = await world.run(() => next);
    expect(answered.invite.sdp).toBeUndefined();
    answered.answer();
    await world.until(call.talking());
    await world.advance({ seconds: 1 });
    expect(butOrigin(call.media.remote)).toBe(butOrigin(answered.media.local));
    expect(butOrigin(answered.media.remote)).toBe(butOrigin(call.media.local));
    const acks = messagesOf(world, '101').filter((each) => each.method === 'ACK');
    expect(acks).toHaveLength(1);
    expect(acks[0]?.hasSdp).toBe(true);
    call.hangUp();
    await office.quiet();
  });
});

describe('C5: another address by re-INVITE (RFC 3665 §3.7)', () => {
  officeScenario('the new address reaches the other side, untouched', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const moved = (call.media.local ?? '').replaceAll('10.0.0.1', '10.0.0.77').replace(/^o=(\S+ \S+) 1 /m, 'o=$1 2 ');
    const result = await world.run(() => call.reinvite(moved));
    expect(result.kind).toBe('accepted');
    expect(butOrigin(answered.media.remote)).toBe(butOrigin(moved));
    call.hangUp();
    await office.quiet();
  });
});

describe('C6: the caller cancels (RFC 3665 §3.8)', () => {
  officeScenario('while it rings', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101');
    const begin = world.clock.now();
    const call = alice.call('101');
    await world.until(call.ringing());
    await world.advance({ seconds: 2 });
    call.cancel();
    await world.until(call.ended());
    await office.quiet();
    expect(seenBy(world, '100', begin)).toEqual([...CALL_WITH_AUTH, '<180', '>CANCEL', '<200', '<487', '>ACK']);
    expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
    expect(office.record.leg('a')).toMatchObject({ outcome: 'cancelled', releasedBy: 'this-party' });
    expect(office.record.leg('b1')).toMatchObject({ outcome: 'cancelled', releasedBy: 'other-party' });
  });

  officeScenario('at the moment of the answer: the late 200 is acknowledged and ended', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const next = bob.incoming();
    const call = alice.call('101');
    const answered = await world.run(() => next);
    await world.advance({ ms: 50 });
    call.cancel();
    await world.advance({ ms: 7 });
    answered.answer();
    await world.until(call.ended());
    await world.until(answered.ended());
    await office.quiet();
    expect(seenBy(world, '101').slice(-6)).toEqual(expect.arrayContaining(['>200', '<ACK', '<BYE']));
    expect(office.records).toHaveLength(1);
    expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
  });
});

describe('C7: busy (RFC 3665 §3.9)', () => {
  officeScenario('486 reaches the caller', {}, async (office, world) => {
    const alice = await office.registered('100');
    const begin = world.clock.now();
    await office.registered('101', { onCall: (call) => call.reject(486) });
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ kind: 'ended', status: 486 });
    await office.quiet();
    expect(seenBy(world, '100', begin)).toEqual([...CALL_WITH_AUTH, '<486', '>ACK']);
    expect(office.record.leg('a')).toMatchObject({ outcome: 'busy', status: 486 });
    expect(office.record.leg('b1')).toMatchObject({ outcome: 'busy', releasedBy: 'this-party', status: 486 });
  });
});

describe('C8: no response at all (RFC 3665 §3.10)', () => {
  officeScenario('INVITE is sent seven times and given up at 32 s', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    await world.run(() => bob.close());
    const begin = world.clock.now();
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ kind: 'ended', status: 408 });
    const invites = messagesOf(world, '101', begin).filter((each) => each.method === 'INVITE');
    const first = invites[0]?.at ?? 0;
    expect(invites.map((each) => each.at - first)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    await office.quiet();
    expect(seenBy(world, '101', begin)).toHaveLength(7);
    expect(office.record.leg('b1')).toMatchObject({ outcome: 'unreachable', releasedBy: 'network' });
  });
});

describe('C9: unavailable after ringing (RFC 3665 §3.11)', () => {
  officeScenario('480 reaches the caller', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const next = bob.incoming();
    const call = alice.call('101');
    const ringing = await world.run(() => next);
    await world.advance({ seconds: 5 });
    ringing.reject(480);
    await world.until(call.ended());
    expect(call.state).toMatchObject({ kind: 'ended', status: 480 });
    await office.quiet();
    expect(office.record.leg('b1')).toMatchObject({ outcome: 'no-answer', status: 480 });
  });

  officeScenario(
    'nobody answers: the phone is cancelled and the caller told',
    { pbx: { calls: { noAnswerSeconds: 20 } } },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101');
      const begin = world.clock.now();
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ kind: 'ended', status: 480 });
      expect(world.clock.now() - begin).toBeGreaterThanOrEqual(20_000);
      expect(world.clock.now() - begin).toBeLessThan(20_200);
      await office.quiet();
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      expect(office.record.leg('b1')).toMatchObject({ outcome: 'no-answer', releasedBy: 'server' });
    },
  );
});

describe('nobody to be called', () => {
  officeScenario('an extension without a phone: 480', {}, async (office, world) => {
    const alice = await office.registered('100');
    const call = alice.call('103');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 480 });
    expect(office.record.legs).toHaveLength(1);
    await office.quiet();
  });

  officeScenario('a number that does not exist: 404', {}, async (office, world) => {
    const alice = await office.registered('100');
    const call = alice.call('999');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 404 });
    await office.quiet();
  });

  officeScenario('Max-Forwards 0: 483 before any challenge (RFC 3261 §16.3)', {}, async (office, world) => {
    const alice = await office.registered('100');
    const begin = world.clock.now();
    const call = alice.call('101', { maxForwards: 0 });
    await world.until(call.ended());
    expect(seenBy(world, '100', begin)).toEqual(['>INVITE', '<483', '>ACK']);
    await office.quiet();
  });
});

describe('N3: all phones of an extension at once', () => {
  officeScenario(
    'the first answer wins, the others are cancelled, the caller sees one 180',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const phones = [await office.registered('101'), await office.registered('101'), await office.registered('101')];
      const begin = world.clock.now();
      const calls = Promise.all(phones.map((phone) => phone.incoming()));
      const call = alice.call('101');
      const [, second] = await world.run(() => calls);
      await world.advance({ seconds: 1 });
      second?.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      expect(seenBy(world, '100', begin)).toEqual([...CALL_WITH_AUTH, '<180', '<200', '>ACK']);
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      expect(seenBy(world, '101#3', begin)).toEqual(['<INVITE', '>180', '>200', '<ACK']);
      expect(seenBy(world, '101#4', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      const cancel = messagesOf(world, '101#4', begin).find((each) => each.method === 'CANCEL');
      expect(cancel?.text).toContain('Reason: SIP;cause=200;text="Call completed elsewhere"');
      call.hangUp();
      await office.quiet();
      const outcomes = office.record.legs.map((leg) => leg.outcome).sort();
      expect(outcomes).toEqual(['answered', 'answered', 'answered-elsewhere', 'answered-elsewhere']);
    },
  );

  officeScenario('a late 200 of a loser is acknowledged and ended', {}, async (office, world) => {
    const alice = await office.registered('100');
    const [one, two] = [await office.registered('101'), await office.registered('101')];
    const calls = Promise.all([one.incoming(), two.incoming()]);
    const call = alice.call('101');
    const [first, second] = await world.run(() => calls);
    first.answer();
    second.answer();
    await world.until(call.talking());
    await world.advance({ seconds: 1 });
    const loser = [first, second].filter((each) => each.state.kind === 'ended');
    expect(loser).toHaveLength(1);
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
    expect([one.busy, two.busy]).toEqual([
      { dialogs: 0, transactions: 0 },
      { dialogs: 0, transactions: 0 },
    ]);
  });

  officeScenario('one is busy, the other rings on; 603 ends the call everywhere', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101', { onCall: (call) => call.reject(486) });
    const two = await office.registered('101');
    const next = two.incoming();
    const call = alice.call('101');
    const ringing = await world.run(() => next);
    await world.advance({ seconds: 5 });
    expect(call.state.kind).toBe('ringing');
    ringing.reject(603);
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 603 });
    await office.quiet();
  });
});
