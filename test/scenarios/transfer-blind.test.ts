/** Flows T1 to T3 (RFC 5359 §2.4, RFC 5589 §6): one party hands the other to a number. */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';

const to = (number: string) => sipUri({ user: number, host: DOMAIN });

/** 100 calls 101, and 102 is there too; `call` is 100's side, `answered` 101's. */
async function threePhones(office: Office, carol: (call: PhoneCall) => void = (call) => call.ring()) {
  const alice = await office.registered('100');
  const bob = await office.registered('101');
  const target = await office.registered('102', { onCall: carol });
  const { call, answered } = await office.talk(alice, bob);
  return { alice, bob, carol: target, call, answered };
}

function without(names: readonly string[], ...left: string[]): string[] {
  return names.filter((name) => !left.includes(name));
}

describe('T1: blind transfer (RFC 5589 §6.1)', () => {
  for (const who of ['the callee', 'the caller'] as const) {
    officeScenario(`${who} transfers; the transferee keeps its dialog`, {}, async (office, world) => {
      const { bob, carol, call, answered } = await threePhones(office);
      const [transferor, transferee] = who === 'the callee' ? [answered, call] : [call, answered];
      const [machineA, machineB] = who === 'the callee' ? ['101', '100'] : ['100', '101'];
      const begin = world.clock.now();
      const next = carol.incoming();
      const transfer = transferor.transfer({ to: to('102') });
      const rings = await world.run(() => next);
      await world.run(() => transfer.answered);
      expect(transfer.status).toBe(202);
      await world.advance({ seconds: 1 });
      expect(transferor.state.kind).toBe('talking');
      rings.answer();
      await world.run(() => transfer.settled);
      await world.until(transferor.ended());
      expect(transfer.told).toEqual(['100 Trying', '180 Ringing', '200 OK']);
      expect(seenBy(world, machineA, begin)).toEqual([
        '>REFER',
        '<202',
        '<NOTIFY',
        '>200',
        '<NOTIFY',
        '>200',
        '<NOTIFY',
        '>200',
        '<BYE',
        '>200',
      ]);
      expect(seenBy(world, machineB, begin)).toEqual(['<INVITE', '>200', '<ACK']);
      expect(seenBy(world, '102', begin)).toEqual(['<INVITE', '>180', '>200', '<ACK']);
      const [invite] = messagesOf(world, '102', begin).filter((each) => each.method === 'INVITE');
      const referredBy = who === 'the callee' ? '101' : '100';
      const from = who === 'the callee' ? '100' : '101';
      expect(invite && headerOf(invite, 'Referred-By')).toBe(`<sip:${referredBy}@${DOMAIN}>`);
      expect(invite && headerOf(invite, 'From')).toContain(`<sip:${from}@${DOMAIN}>`);
      expect(transferee.state.kind).toBe('talking');
      // The two who are left know each other's addresses.
      expect(rings.media.remote).toContain(`c=IN IP4 ${transferee.media.local?.match(/c=IN IP4 (\S+)/)?.[1]}`);
      expect(transferee.media.remote).toContain(`c=IN IP4 ${rings.media.local?.match(/c=IN IP4 (\S+)/)?.[1]}`);
      expect(office.pbx.calls).toHaveLength(1);
      expect((await world.run(() => transferee.hold())).kind).toBe('accepted');
      expect(rings.media.remote).toContain('a=sendonly');
      expect((await world.run(() => transferee.resume())).kind).toBe('accepted');
      rings.hangUp();
      await world.until(transferee.ended());
      await office.quiet();
      const gone = who === 'the callee' ? 'b1' : 'a';
      expect(
        office.record.legs.map(({ id, number, outcome, releasedBy }) => [id, number, outcome, releasedBy]),
      ).toEqual([
        ['a', '100', 'answered', gone === 'a' ? 'this-party' : 'other-party'],
        ['b1', '101', 'answered', gone === 'b1' ? 'this-party' : 'other-party'],
        ['b2', '102', 'answered', 'this-party'],
      ]);
      expect(office.record.transfers).toMatchObject([
        { kind: 'blind', fromLeg: gone, toLeg: 'b2', to: '102', status: 200 },
      ]);
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
    });
  }

  officeScenario('whoever is on hold meanwhile talks in both directions afterwards', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    await world.run(() => answered.hold());
    expect(call.media.local).toContain('a=recvonly');
    const next = carol.incoming();
    const transfer = answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    expect(rings.invite.sdp).toContain('a=sendrecv');
    rings.answer();
    await world.run(() => transfer.settled);
    await world.advance({ seconds: 1 });
    expect(call.media.remote).toContain('a=sendrecv');
    expect(call.media.local).toContain('a=sendrecv');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('the event call.transferred tells of it while the call goes on', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const told: unknown[] = [];
    office.pbx.on('call.transferred', ({ record, transfer }) =>
      told.push([record.endedAt, transfer.to, transfer.kind]),
    );
    const next = carol.incoming();
    const transfer = answered.transfer({ to: to('102') });
    (await world.run(() => next)).answer();
    await world.run(() => transfer.settled);
    expect(told).toEqual([[undefined, '102', 'blind']]);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('Refer-Sub: false: no NOTIFY, and the 202 says so (RFC 4488 §4)', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const begin = world.clock.now();
    const next = carol.incoming();
    const transfer = answered.transfer({
      to: to('102'),
      headers: { 'Refer-Sub': { value: false, params: [] }, Require: ['norefersub'] },
    });
    (await world.run(() => next)).answer();
    await world.until(answered.ended());
    expect(transfer.status).toBe(202);
    expect(seenBy(world, '101', begin)).toEqual(['>REFER', '<202', '<BYE', '>200']);
    const [accepted] = messagesOf(world, '101', begin).filter((each) => each.status === 202);
    expect(accepted && headerOf(accepted, 'Refer-Sub')).toBe('false');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('the target takes another offer only: it is asked for one', {}, async (office, world) => {
    let first = true;
    const { carol, call, answered } = await threePhones(office, (incoming) => {
      if (first) incoming.reject(488);
      else incoming.ring();
      first = false;
    });
    const transfer = answered.transfer({ to: to('102') });
    await world.until(() => carol.calls.length === 2);
    expect(carol.calls[1]?.invite.sdp).toBeUndefined();
    carol.calls[1]?.answer();
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(200);
    await world.advance({ seconds: 1 });
    expect(carol.calls[1]?.media.remote).toContain('c=IN IP4 10.0.0.1');
    expect(call.media.remote).toContain('c=IN IP4 10.0.0.3');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('the transferee answers with another address: the target is told', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    call.onModify = (modify, media) => {
      void modify.accept(media.answer(modify.sdp ?? '').replace('m=audio 20000', 'm=audio 29000'));
    };
    const begin = world.clock.now();
    const next = carol.incoming();
    const transfer = answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    rings.answer();
    await world.run(() => transfer.settled);
    await world.advance({ seconds: 1 });
    expect(rings.media.remote).toContain('m=audio 29000');
    expect(seenBy(world, '102', begin)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<INVITE', '>200', '<ACK']);
    expect(seenBy(world, '100', begin)).toEqual(['<INVITE', '>200', '<ACK']);
    call.hangUp();
    await office.quiet();
  });
});

describe('T2, T3: the target does not answer (RFC 5589 §6.3)', () => {
  officeScenario('busy: NOTIFY 486, and both talk on', {}, async (office, world) => {
    const { call, answered } = await threePhones(office, (incoming) => incoming.reject(486));
    const begin = world.clock.now();
    const transfer = answered.transfer({ to: to('102') });
    await world.run(() => transfer.settled);
    expect(transfer.told).toEqual(['100 Trying', '486 Busy Here']);
    await world.advance({ seconds: 5 });
    expect(seenBy(world, '100', begin)).toEqual([]);
    expect(without(seenBy(world, '101', begin), '<NOTIFY', '>200')).toEqual(['>REFER', '<202']);
    expect((await world.run(() => answered.hold())).kind).toBe('accepted');
    expect(call.media.remote).toContain('a=sendonly');
    answered.hangUp();
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.transfers).toMatchObject([{ kind: 'blind', to: '102', status: 486 }]);
  });

  officeScenario(
    'no answer: given up after the time to ring',
    { pbx: { calls: { noAnswerSeconds: 20 } } },
    async (office, world) => {
      const { call, answered } = await threePhones(office);
      const begin = world.clock.now();
      const transfer = answered.transfer({ to: to('102') });
      await world.run(() => transfer.settled);
      expect(world.clock.now() - begin).toBeGreaterThanOrEqual(20_000);
      expect(transfer.told).toEqual(['100 Trying', '180 Ringing', '480 Temporarily Unavailable']);
      await world.advance({ seconds: 1 });
      expect(seenBy(world, '102', begin)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      answered.hangUp();
      await office.quiet();
    },
  );

  officeScenario('nobody has that number: NOTIFY 404', {}, async (office, world) => {
    const { call, answered } = await threePhones(office);
    const transfer = answered.transfer({ to: to('999') });
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(404);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'a number of another server, that exists here too: NOTIFY 403, nobody is called',
    {},
    async (office, world) => {
      const { carol, call, answered } = await threePhones(office);
      const transfer = answered.transfer({ to: sipUri({ user: '102', host: 'premium.example' }) });
      await world.run(() => transfer.settled);
      expect([transfer.result, carol.calls.length]).toEqual([403, 0]);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'another try after a failure: its NOTIFYs carry the CSeq as id (RFC 3515 §2.4.6)',
    {},
    async (office, world) => {
      const { call, answered } = await threePhones(office, (incoming) => incoming.reject(486));
      await world.run(() => answered.transfer({ to: to('102') }).settled);
      const begin = world.clock.now();
      await world.run(() => answered.transfer({ to: to('102') }).settled);
      const events = messagesOf(world, '101', begin).filter((each) => each.method === 'NOTIFY');
      const [refer] = messagesOf(world, '101', begin).filter((each) => each.method === 'REFER');
      const cseq = refer && headerOf(refer, 'CSeq')?.split(' ')[0];
      expect(events.map((each) => headerOf(each, 'Event'))).toEqual([`refer;id=${cseq}`, `refer;id=${cseq}`]);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('the transferor hangs up before the target answers', () => {
  officeScenario('the transfer goes on', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    answered.hangUp();
    await world.advance({ seconds: 3 });
    expect(call.state.kind).toBe('talking');
    rings.answer();
    await world.advance({ seconds: 1 });
    expect(call.media.remote).toContain('c=IN IP4 10.0.0.3');
    call.hangUp();
    await world.until(rings.ended());
    await office.quiet();
    expect(office.record.legs.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['a', 'answered'],
      ['b1', 'answered'],
      ['b2', 'answered'],
    ]);
  });

  officeScenario('the target is busy: the transferor is called back', {}, async (office, world) => {
    const { bob, carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    answered.hangUp();
    await world.advance({ seconds: 1 });
    const again = bob.incoming();
    rings.reject(486);
    const recalled = await world.run(() => again);
    recalled.answer();
    await world.advance({ seconds: 1 });
    expect([call.state.kind, recalled.state.kind]).toEqual(['talking', 'talking']);
    expect(call.media.remote).toContain('c=IN IP4 10.0.0.2');
    recalled.hangUp();
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.transfers).toMatchObject([
      { kind: 'blind', to: '102', status: 486 },
      { kind: 'recall', to: '101', toLeg: 'b3', status: 200 },
    ]);
  });

  officeScenario(
    'and does not answer the recall either: the transferee is hung up',
    { pbx: { calls: { noAnswerSeconds: 10 } } },
    async (office, world) => {
      const { bob, carol, call, answered } = await threePhones(office);
      const next = carol.incoming();
      answered.transfer({ to: to('102') });
      const rings = await world.run(() => next);
      answered.hangUp();
      await world.advance({ ms: 100 });
      rings.reject(486);
      await world.until(call.ended());
      expect(bob.calls).toHaveLength(2);
      await office.quiet();
      expect(office.record.legs.map(({ id, outcome }) => [id, outcome])).toEqual([
        ['a', 'answered'],
        ['b1', 'answered'],
        ['b2', 'busy'],
        ['b3', 'no-answer'],
      ]);
    },
  );
});

describe('races', () => {
  officeScenario('the transferee hangs up while the target rings: everything ends', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    const transfer = answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    call.hangUp();
    await world.until(rings.ended());
    await world.until(answered.ended());
    await office.quiet();
    expect(transfer.result ?? 487).toBe(487);
    expect(office.record.legs.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['a', 'answered'],
      ['b1', 'answered'],
      ['b2', 'cancelled'],
    ]);
  });

  officeScenario('the target answers and the transferee hangs up at the same moment', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    rings.answer();
    call.hangUp();
    await world.until(rings.ended());
    await world.until(answered.ended());
    await office.quiet();
    expect(office.record.legs.every((leg) => leg.endedAt !== undefined)).toBe(true);
  });

  officeScenario('the target answers and hangs up at once', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    rings.answer();
    await world.advance({ ms: 12 });
    rings.hangUp();
    await world.advance({ seconds: 5 });
    call.hangUp();
    answered.hangUp();
    await office.quiet();
    expect(office.record.legs.every((leg) => leg.endedAt !== undefined)).toBe(true);
  });

  officeScenario('both transfer at once: one is served, the other gets 491', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const one = answered.transfer({ to: to('102') });
    const two = call.transfer({ to: to('102') });
    await world.run(() => Promise.all([one.answered, two.answered]));
    expect([one.status, two.status].sort()).toEqual([202, 491]);
    await world.until(carol.ringing);
    carol.calls[0]?.answer();
    await world.advance({ seconds: 3 });
    expect([call.state.kind, answered.state.kind].sort()).toEqual(['ended', 'talking']);
    carol.calls[0]?.hangUp();
    await office.quiet();
  });

  officeScenario(
    'the transferee re-INVITEs while the target answers: 491, and the transfer is tried again',
    {},
    async (office, world) => {
      const { carol, call, answered } = await threePhones(office);
      const next = carol.incoming();
      const transfer = answered.transfer({ to: to('102') });
      const rings = await world.run(() => next);
      rings.answer();
      await world.advance({ ms: 4 });
      const hold = call.hold();
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(200);
      expect(await world.run(() => hold)).toMatchObject({ kind: 'rejected' });
      await world.advance({ seconds: 5 });
      expect([call.state.kind, rings.state.kind]).toEqual(['talking', 'talking']);
      expect(call.media.remote).toContain('c=IN IP4 10.0.0.3');
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('the PBX ends the call while the target rings', {}, async (office, world) => {
    const { carol, call, answered } = await threePhones(office);
    const next = carol.incoming();
    answered.transfer({ to: to('102') });
    const rings = await world.run(() => next);
    office.pbx.endCall(office.pbx.calls[0]?.id ?? '');
    await world.until(rings.ended());
    await world.until(call.ended());
    await world.until(answered.ended());
    await office.quiet();
  });
});

describe('who may not', () => {
  officeScenario(
    'the host forbids it: 403, and the call goes on',
    { pbx: { calls: { transfers: false } } },
    async (office, world) => {
      const { call, answered } = await threePhones(office);
      const transfer = answered.transfer({ to: to('102') });
      await world.run(() => transfer.answered);
      expect(transfer.status).toBe(403);
      expect(call.state.kind).toBe('talking');
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'the host decides each time',
    { pbx: { calls: { transfers: ({ by, to: number }) => by.extension === '101' && number !== '999' } } },
    async (office, world) => {
      const { carol, call, answered } = await threePhones(office);
      const forbidden = [call.transfer({ to: to('102') }), answered.transfer({ to: to('999') })];
      await world.run(() => Promise.all(forbidden.map((each) => each.answered)));
      expect(forbidden.map((each) => each.status)).toEqual([403, 403]);
      const allowed = answered.transfer({ to: to('102') });
      await world.until(carol.ringing);
      expect(allowed.status).toBe(202);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('over a wire that loses, repeats and reorders', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    officeScenario(
      `transferred and hung up (seed ${seed})`,
      { seed, loss: 0.2, duplicate: 0.1, reorder: 0.1 },
      async (office, world) => {
        const { carol, call, answered } = await threePhones(office, (incoming) => incoming.answer());
        const transfer = answered.transfer({ to: to('102') });
        await world.until(() => carol.calls[0]?.state.kind === 'talking', { minutes: 2 });
        await world.advance({ seconds: 40 });
        expect(transfer.result ?? 200).toBe(200);
        expect(answered.state.kind).toBe('ended');
        expect(call.media.remote).toContain('c=IN IP4 10.0.0.3');
        call.hangUp();
        await world.advance({ seconds: 40 });
        await office.quiet();
        expect(office.record.transfers).toMatchObject([{ kind: 'blind', status: 200 }]);
        expect(office.record.legs).toHaveLength(3);
      },
    );
  }
});
