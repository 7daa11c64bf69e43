/** The races of RFC 5407 at the PBX's legs: phones against a scripted peer that withholds, repeats and crosses messages. */
import { describe, expect } from 'vitest';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { type RawCall, RawPeer, rawSdp } from '../support/raw-peer.js';

const ANSWER = rawSdp('10.1.0.1', 4100);

/** A raw peer that is the phone of extension 101. */
async function rawCallee(world: World): Promise<RawPeer> {
  const peer = await RawPeer.open(world);
  await peer.register('101', 'secret-101');
  return peer;
}

/** A raw peer that calls as extension 100, past the challenge: its call rings or is answered at `phone`. */
async function rawCaller(world: World, number = '101', body?: string): Promise<{ peer: RawPeer; raw: RawCall }> {
  const peer = await RawPeer.open(world);
  const raw = peer.dial(number, { from: '<sip:100@office.test>', ...(body === undefined ? {} : { body }) });
  raw.authorize(await peer.expect(407), '100', 'secret-100', body === undefined ? {} : { body });
  return { peer, raw };
}

/** The raw peer calls, `phone` answers, nobody has sent the ACK yet. */
async function answered(world: World, phone: VirtualPhone) {
  const next = phone.incoming();
  const { peer, raw } = await rawCaller(world, phone.number);
  const call = await world.run(() => next);
  raw.learn(await peer.expect('180 INVITE'));
  call.answer();
  const ok = await peer.expect('200 INVITE');
  raw.learn(ok);
  return { peer, raw, call, ok };
}

/** The same, and the ACK. */
async function talking(world: World, phone: VirtualPhone) {
  const parts = await answered(world, phone);
  parts.raw.ack();
  await world.advance({ ms: 200 });
  return parts;
}

const idle = { dialogs: 0, transactions: 0 };

describe('§3.1 at the beginning', () => {
  officeScenario('3.1.1: an INVITE that is repeated after our 200 makes no second call', {}, async (office, world) => {
    const bob = await office.registered('101');
    const next = bob.incoming();
    const peer = await RawPeer.open(world);
    const raw = peer.dial('101', { from: '<sip:100@office.test>' });
    raw.authorize(await peer.expect(407), '100', 'secret-100', { branch: 'z9hG4bKagain' });
    (await world.run(() => next)).answer();
    raw.learn(await peer.expect('200 INVITE'));
    const invite = world.trace.entries
      .filter((entry) => String(Buffer.from(entry.data)).includes('z9hG4bKagain'))
      .at(0);
    peer.send(Buffer.from(invite?.data ?? []).toString('latin1'));
    await world.advance({ ms: 100 });
    raw.ack();
    await world.advance({ seconds: 5 });
    expect(bob.calls).toHaveLength(1);
    expect(peer.heard.filter((each) => /^[3-6]/.test(each))).toEqual(['407 INVITE']);
    raw.request('BYE');
    await peer.expect('200 BYE');
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect(bob.busy).toEqual(idle);
  });

  officeScenario(
    '3.1.2: CANCEL crosses our 200: it is answered, the call stays until BYE',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const next = bob.incoming();
      const { peer, raw } = await rawCaller(world);
      const call = await world.run(() => next);
      await peer.expect('180 INVITE');
      call.answer();
      await world.advance({ ms: 8 });
      raw.cancel();
      raw.learn(await peer.expect('200 INVITE'));
      const cancelled = await peer.expect((message) => message.cseqMethod === 'CANCEL');
      expect([200, 481]).toContain(cancelled.status);
      raw.ack();
      await world.advance({ seconds: 5 });
      expect(call.state.kind).toBe('talking');
      expect(peer.heard).not.toContain('487 INVITE');
      raw.request('BYE');
      await peer.expect('200 BYE');
      await world.until(call.ended());
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'this-party' });
    },
  );

  officeScenario('3.1.2, as the caller: a 200 that crosses our CANCEL gets ACK and BYE', {}, async (office, world) => {
    const alice = await office.registered('100');
    const peer = await rawCallee(world);
    const call = alice.call('101');
    const raw = peer.take(await peer.expect('INVITE'));
    raw.respond(180);
    await world.until(call.ringing());
    call.cancel();
    const cancel = await peer.expect('CANCEL');
    raw.respond(200, { body: ANSWER });
    peer.respond(cancel, 200, { contact: '' });
    await peer.expect('ACK');
    peer.respond(await peer.expect('BYE'), 200);
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 487 });
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ outcome: 'cancelled' });
    expect(office.record.talkMs).toBe(0);
  });

  officeScenario('3.1.3: BYE in the early dialog: 200 to it, 487 to the INVITE', {}, async (office, world) => {
    const bob = await office.registered('101');
    const next = bob.incoming();
    const { peer, raw } = await rawCaller(world);
    const call = await world.run(() => next);
    raw.learn(await peer.expect('180 INVITE'));
    raw.request('BYE');
    await peer.expect('200 BYE');
    raw.ackFailure(await peer.expect('487 INVITE'), 'sip:101@office.test');
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ outcome: 'cancelled', releasedBy: 'this-party' });
    expect(bob.busy).toEqual(idle);
  });

  officeScenario(
    '3.1.3: and when it crosses our 200: 200 to it, the session is over on both legs',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const next = bob.incoming();
      const { peer, raw } = await rawCaller(world);
      const call = await world.run(() => next);
      raw.learn(await peer.expect('180 INVITE'));
      call.answer();
      await world.advance({ ms: 8 });
      raw.request('BYE');
      await peer.expect('200 BYE');
      const ok = await peer.expect('200 INVITE');
      raw.ack({ cseq: ok.cseq });
      await world.until(call.ended());
      await office.quiet();
      expect(office.records).toHaveLength(1);
      expect(bob.busy).toEqual(idle);
    },
  );

  officeScenario(
    '3.1.4: a re-INVITE before the ACK of the first is served; the late ACK fits by CSeq',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const { peer, raw, call, ok } = await answered(world, bob);
      raw.invite({ body: `${rawSdp('10.1.0.1', 4000, 2)}a=sendonly\r\n` });
      const second = await peer.expect(
        (message) => message.cseqMethod === 'INVITE' && message.cseq === ok.cseq + 1 && (message.status ?? 0) >= 200,
      );
      expect([200, 491]).toContain(second.status);
      raw.ack({ cseq: ok.cseq });
      if (second.status === 200) raw.ack({ cseq: second.cseq });
      else raw.ackFailure(second);
      await world.advance({ seconds: 5 });
      expect(call.state.kind).toBe('talking');
      peer.skip();
      await world.advance({ seconds: 35 });
      expect(call.state.kind).toBe('talking');
      raw.request('BYE');
      await peer.expect('200 BYE');
      await office.quiet();
    },
  );

  officeScenario('3.1.5: the same while the offer in our 200 is open: 491', {}, async (office, world) => {
    const bob = await office.registered('101');
    const next = bob.incoming();
    const { peer, raw } = await rawCaller(world, '101', '');
    const call = await world.run(() => next);
    call.answer();
    const ok = await peer.expect('200 INVITE');
    raw.learn(ok);
    raw.invite();
    raw.ackFailure(await peer.expect('491 INVITE'));
    raw.ack({ cseq: ok.cseq, body: ANSWER });
    await world.advance({ seconds: 1 });
    expect(butOrigin(call.media.remote)).toBe(butOrigin(ANSWER));
    raw.request('BYE');
    await peer.expect('200 BYE');
    await office.quiet();
  });

  officeScenario(
    '3.1.6: BYE before the ACK: our 200 is not repeated, the other leg is hung up',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const { peer, raw, call } = await answered(world, bob);
      const cseq = raw.dialog.cseq;
      raw.request('BYE');
      await peer.expect('200 BYE');
      raw.ack({ cseq });
      const before = peer.received.length;
      await world.until(call.ended());
      await office.quiet();
      expect(peer.received.length).toBe(before);
      expect(office.records).toHaveLength(1);
    },
  );

  officeScenario(
    '3.1.6 with a late offer: the callee’s 200 is acknowledged and ended as well',
    {},
    async (office, world) => {
      const callee = await rawCallee(world);
      const caller = await RawPeer.open(world, { name: 'caller', address: '10.1.0.2' });
      const raw = caller.dial('101', { from: '<sip:100@office.test>', body: '' });
      raw.authorize(await caller.expect(407), '100', 'secret-100', { body: '' });
      const other = callee.take(await callee.expect('INVITE'));
      other.respond(200, { body: ANSWER });
      raw.learn(await caller.expect('200 INVITE'));
      raw.request('BYE');
      await caller.expect('200 BYE');
      const seen = [
        await callee.expect((message) => message.method !== undefined),
        await callee.expect((message) => message.method !== undefined),
      ];
      expect(seen.map((message) => message.method)).toEqual(['ACK', 'BYE']);
      callee.respond(seen[1] as never, 200);
      await office.quiet();
      expect(office.records).toHaveLength(1);
    },
  );

  officeScenario('the ACK never comes: BYE to both after 64·T1, once', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, call, ok } = await answered(world, bob);
    const bye = await peer.expect('BYE');
    expect(bye.at - ok.at).toBe(32_000);
    peer.respond(bye, 200);
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ releasedBy: 'network', cause: 'the 200 was never acknowledged' });
  });

  officeScenario(
    'a 200 that the callee repeats gets the same ACK each time (RFC 3261 §13.2.2.4)',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const peer = await rawCallee(world);
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      for (let i = 0; i < 3; i++) raw.respond(200, { body: ANSWER });
      await world.until(call.talking());
      await world.advance({ ms: 200 });
      const acks = peer.received.filter((message) => message.method === 'ACK').map((message) => message.text);
      expect(acks).toHaveLength(3);
      expect(new Set(acks).size).toBe(1);
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
    },
  );
});

describe('§3.2 at the end', () => {
  officeScenario('3.2.1: BYE crosses BYE: 200 both, one record', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, raw, call } = await talking(world, bob);
    call.hangUp();
    await world.advance({ ms: 7 });
    raw.request('BYE');
    await peer.expect('200 BYE');
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'this-party' });
    expect(bob.busy).toEqual(idle);
  });

  officeScenario('3.2.2: a re-INVITE that crosses our BYE gets 481', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, raw, call } = await talking(world, bob);
    call.hangUp();
    await world.advance({ ms: 7 });
    raw.invite();
    raw.ackFailure(await peer.expect('481 INVITE'));
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario('3.2.3: the 200 of our re-INVITE that crosses our BYE is acknowledged', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, call } = await talking(world, bob);
    void call.hold();
    const invite = await peer.expect('INVITE');
    call.hangUp();
    const bye = await peer.expect('BYE');
    peer.respond(invite, 200, { body: ANSWER });
    expect((await peer.expect('ACK')).cseq).toBe(invite.cseq);
    peer.respond(bye, 200);
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect(bob.busy).toEqual(idle);
  });

  officeScenario('3.2.4: an ACK with an answer after our BYE is ignored', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, raw, call } = await talking(world, bob);
    raw.invite({ body: '' });
    const ok = await peer.expect((message) => message.status === 200 && message.cseq === raw.dialog.cseq);
    call.hangUp();
    peer.respond(await peer.expect((message) => message.method === 'BYE'), 200);
    raw.ack({ cseq: ok.cseq, body: ANSWER });
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect(bob.busy).toEqual(idle);
  });
});

describe('§3.3 in between', () => {
  officeScenario('3.3.1: re-INVITEs cross: 491 to both, the call goes on', {}, async (office, world) => {
    const bob = await office.registered('101');
    const { peer, raw, call } = await talking(world, bob);
    const held = call.hold();
    await world.advance({ ms: 7 });
    raw.invite();
    raw.ackFailure(await peer.expect('491 INVITE'));
    peer.respond(await peer.expect('INVITE'), 491);
    await peer.expect('ACK');
    expect(await world.run(() => held)).toMatchObject({ kind: 'rejected', status: 491 });
    await world.advance({ seconds: 5 });
    expect(call.state.kind).toBe('talking');
    // The one who has the right of way tries again, and gets through.
    raw.invite({ body: rawSdp('10.1.0.1', 4002, 3) });
    await peer.expect((message) => message.status === 200 && message.cseq === raw.dialog.cseq);
    raw.ack();
    expect(butOrigin(call.media.remote)).toBe(butOrigin(rawSdp('10.1.0.1', 4002, 3)));
    raw.request('BYE');
    await peer.expect('200 BYE');
    await office.quiet();
  });

  officeScenario('3.3.3: REFER after BYE: 481, and nobody is called', {}, async (office, world) => {
    const bob = await office.registered('101');
    const carol = await office.registered('102');
    const { peer, raw, call } = await talking(world, bob);
    raw.request('BYE');
    await peer.expect('200 BYE');
    raw.request('REFER', { headers: ['Refer-To: <sip:102@office.test>'] });
    const refused = await peer.expect((message) => message.cseqMethod === 'REFER');
    expect([481, 603]).toContain(refused.status);
    await world.until(call.ended());
    await office.quiet();
    expect(carol.calls).toEqual([]);
  });

  officeScenario(
    'a second re-INVITE before the first is answered: 500 with Retry-After (RFC 3261 §14.2)',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const { peer, raw, call } = await talking(world, bob);
      call.onModify = () => {};
      raw.invite();
      await world.advance({ ms: 50 });
      raw.invite();
      const refused = await peer.expect('500 INVITE');
      expect(refused.header('Retry-After')).toMatch(/^([0-9]|10)$/);
      raw.ackFailure(refused);
      raw.request('BYE');
      await peer.expect('200 BYE');
      await office.quiet();
    },
  );

  officeScenario(
    'the callee forgets the dialog: 481 to a re-INVITE ends the call on both legs',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const { peer, call } = await talking(world, bob);
      const held = call.hold();
      peer.respond(await peer.expect('INVITE'), 481);
      peer.respond(await peer.expect('BYE'), 481);
      expect((await world.run(() => held)).kind).not.toBe('accepted');
      await world.until(call.ended());
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ releasedBy: 'network', cause: 'the phone no longer answers' });
    },
  );
});
