/** Reliable provisional responses through the PBX (RFC 3262): hop by hop, but for an offer in them. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { type DialOptions, type RawCall, RawPeer, rawSdp, tagIn, type WireMessage } from '../support/raw-peer.js';
import { seenBy } from '../support/wire.js';

const CALLER_SDP = rawSdp('10.1.0.1', 4000);
const CALLEE_SDP = rawSdp('10.1.0.2', 5000);

/** A raw caller (100) and a raw callee (101), whose INVITE has come. */
async function ringing(world: World, caller: DialOptions = {}) {
  const a = await RawPeer.open(world, { name: 'a' });
  const b = await RawPeer.open(world, { name: 'b', address: '10.1.0.2' });
  await b.register('101', 'secret-101');
  const from = a.dial('101', { from: '<sip:100@office.test>', body: CALLER_SDP, ...caller });
  from.authorize(await a.expect(407), '100', 'secret-100', { body: CALLER_SDP, ...caller });
  const to = b.take(await b.expect('INVITE'));
  return { a, b, from, to, invite: to.taken as WireMessage };
}

function prack(raw: RawCall, response: WireMessage, body?: string): void {
  const headers = [`RAck: ${response.header('RSeq')} ${response.cseq} INVITE`];
  raw.learn(response);
  raw.request('PRACK', { headers, contact: '', ...(body === undefined ? {} : { body }) });
}

function reliable(rseq: number, body = ''): { readonly headers: string[]; readonly body: string } {
  return { headers: ['Require: 100rel', `RSeq: ${rseq}`, 'Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE'], body };
}

/** Answers, acknowledges and hangs up from the caller's side. */
async function finish({ a, b, from, to }: Awaited<ReturnType<typeof ringing>>, body?: string): Promise<WireMessage> {
  to.respond(200, body === undefined ? {} : { body });
  await b.expect('ACK');
  const ok = await a.expect('200 INVITE');
  from.learn(ok);
  from.ack({ cseq: ok.cseq });
  from.request('BYE');
  await a.expect('200 BYE');
  b.respond(await b.expect('BYE'), 200);
  return ok;
}

describe('each side acknowledges for itself', () => {
  officeScenario('a callee that is reliable, a caller that knows nothing of it', {}, async (office, world) => {
    const parts = await ringing(world);
    const { a, b, to, invite } = parts;
    expect(invite.header('Supported')).toContain('100rel');
    to.respond(183, reliable(9, CALLEE_SDP));
    const acknowledged = await b.expect('PRACK');
    b.respond(acknowledged, 200, { contact: '' });
    const seen = await a.expect('183 INVITE');
    expect([seen.header('RSeq'), seen.header('Require')]).toEqual([undefined, undefined]);
    expect(butOrigin(seen.body)).toBe(butOrigin(CALLEE_SDP));
    // The 200 of the callee says nothing any more; the caller must still be told (RFC 3261 §13.2.1).
    const ok = await finish(parts);
    expect(ok.body).toBe(seen.body);
    await office.quiet();
    expect(office.records).toHaveLength(1);
  });

  officeScenario('a caller that requires it, a callee that knows nothing of it', {}, async (office, world) => {
    const parts = await ringing(world, { headers: ['Require: 100rel'] });
    const { a, b, from, to } = parts;
    to.respond(180);
    const rings = await a.expect('180 INVITE');
    expect(rings.header('Require')).toBe('100rel');
    prack(from, rings);
    await a.expect('200 PRACK');
    to.respond(183, { body: CALLEE_SDP });
    const media = await a.expect('183 INVITE');
    expect(Number(media.header('RSeq'))).toBe(Number(rings.header('RSeq')) + 1);
    prack(from, media);
    await a.expect('200 PRACK');
    expect(b.heard).not.toContain('PRACK');
    const ok = await finish(parts, CALLEE_SDP);
    expect([ok.body, tagIn(ok.header('To'))]).toEqual(['', tagIn(media.header('To'))]);
    await office.quiet();
  });

  officeScenario('the 200 waits for the caller’s PRACK (RFC 3262 §3)', {}, async (office, world) => {
    const parts = await ringing(world, { headers: ['Supported: 100rel'] });
    const { a, b, from, to } = parts;
    to.respond(183, { body: CALLEE_SDP });
    const media = await a.expect('183 INVITE');
    to.respond(200, { body: CALLEE_SDP });
    await b.expect('ACK');
    await world.advance({ ms: 300 });
    expect(a.heard).not.toContain('200 INVITE');
    prack(from, media);
    await a.expect('200 PRACK');
    const ok = await a.expect('200 INVITE');
    expect(ok.body).toBe('');
    from.ack({ cseq: ok.cseq });
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario(
    'a caller that never sends its PRACK: 504 to it at 64·T1, the callee is let go, one record',
    {},
    async (office, world) => {
      const { a, b, from, to } = await ringing(world, { headers: ['Supported: 100rel'] });
      to.respond(183, { body: CALLEE_SDP });
      await a.expect('183 INVITE');
      from.ackFailure(await a.expect('504 INVITE'));
      b.respond(await b.expect('CANCEL'), 200);
      to.respond(487);
      await b.expect('ACK');
      await office.quiet();
      expect(office.record.leg('b1').outcome).toBe('cancelled');
    },
  );

  officeScenario('a caller that gives up while its PRACK is awaited', {}, async (office, world) => {
    const { a, b, from, to } = await ringing(world, { headers: ['Supported: 100rel'] });
    to.respond(183, { body: CALLEE_SDP });
    await a.expect('183 INVITE');
    to.respond(200, { body: CALLEE_SDP });
    await b.expect('ACK');
    from.cancel();
    from.ackFailure(await a.expect('487 INVITE'));
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
    expect(office.record.leg('a').outcome).toBe('cancelled');
  });
});

describe('an offer in a provisional response (RFC 3262 §5)', () => {
  const LATE = { body: '', headers: ['Supported: 100rel'] };

  officeScenario('the callee’s PRACK waits for the caller’s answer', {}, async (office, world) => {
    const parts = await ringing(world, LATE);
    const { a, b, from, to, invite } = parts;
    expect([invite.body, invite.header('Supported')?.includes('100rel')]).toEqual(['', true]);
    to.respond(183, reliable(1, CALLEE_SDP));
    const offer = await a.expect('183 INVITE');
    expect(butOrigin(offer.body)).toBe(butOrigin(CALLEE_SDP));
    await world.advance({ ms: 200 });
    expect(b.heard).not.toContain('PRACK');
    prack(from, offer, CALLER_SDP);
    await a.expect('200 PRACK');
    const answered = await b.expect('PRACK');
    expect(butOrigin(answered.body)).toBe(butOrigin(CALLER_SDP));
    b.respond(answered, 200, { contact: '' });
    const ok = await finish(parts);
    expect(ok.body).toBe('');
    await office.quiet();
    expect(office.record.leg('b1').outcome).toBe('answered');
  });

  officeScenario(
    'to a caller without 100rel the callee is not told of it: the offer comes in the 200',
    {},
    async (office, world) => {
      const { a, b, from, to, invite } = await ringing(world, { body: '' });
      expect(invite.header('Supported') ?? '').not.toContain('100rel');
      to.respond(200, { body: CALLEE_SDP });
      const ok = await a.expect('200 INVITE');
      expect(butOrigin(ok.body)).toBe(butOrigin(CALLEE_SDP));
      from.learn(ok);
      from.ack({ cseq: ok.cseq, body: CALLER_SDP });
      expect(butOrigin((await b.expect('ACK')).body)).toBe(butOrigin(CALLER_SDP));
      from.request('BYE');
      await a.expect('200 BYE');
      b.respond(await b.expect('BYE'), 200);
      await office.quiet();
    },
  );
});

describe('a change before the answer (RFC 3311 §5.1, RFC 6337 §3.2)', () => {
  const BOTH = { headers: ['Supported: 100rel', 'Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE'] };

  async function agreed(world: World, caller: DialOptions = BOTH) {
    const parts = await ringing(world, caller);
    const { a, b, from, to } = parts;
    to.respond(183, reliable(1, CALLEE_SDP));
    b.respond(await b.expect('PRACK'), 200, { contact: '' });
    const media = await a.expect('183 INVITE');
    if (media.header('RSeq') !== undefined) {
      prack(from, media);
      await a.expect('200 PRACK');
    } else from.learn(media);
    to.dialog.cseq = 10;
    to.dialog.target = 'sip:101@192.0.2.1:5060';
    return parts;
  }

  officeScenario('an UPDATE of the caller reaches the callee; so does the answer', {}, async (office, world) => {
    const parts = await agreed(world);
    const { a, b, from } = parts;
    const moved = rawSdp('10.1.0.1', 4100, 2);
    from.request('UPDATE', { body: moved });
    const update = await b.expect('UPDATE');
    expect(butOrigin(update.body)).toBe(butOrigin(moved));
    const answer = rawSdp('10.1.0.2', 5100, 2);
    b.respond(update, 200, { body: answer });
    expect(butOrigin((await a.expect('200 UPDATE')).body)).toBe(butOrigin(answer));
    const ok = await finish(parts);
    expect(ok.body).toBe('');
    await office.quiet();
  });

  officeScenario('an UPDATE of the callee reaches the caller', {}, async (office, world) => {
    const parts = await agreed(world);
    const { a, b, to } = parts;
    const moved = rawSdp('10.1.0.2', 5100, 2);
    to.request('UPDATE', { body: moved });
    const update = await a.expect('UPDATE');
    expect(butOrigin(update.body)).toBe(butOrigin(moved));
    const answer = rawSdp('10.1.0.1', 4100, 2);
    a.respond(update, 200, { body: answer });
    expect(butOrigin((await b.expect('200 UPDATE')).body)).toBe(butOrigin(answer));
    await finish(parts);
    await office.quiet();
  });

  officeScenario('488 where the other side cannot be asked before the answer', {}, async (office, world) => {
    const parts = await agreed(world, {});
    const { b, to, a } = parts;
    to.request('UPDATE', { body: rawSdp('10.1.0.2', 5100, 2) });
    await b.expect('488 UPDATE');
    expect(a.heard).not.toContain('UPDATE');
    await finish(parts);
    await office.quiet();
  });
});

describe('between phones that know 100rel, over a wire that loses', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const conditions = { delayMs: [2, 40], loss: 0.15, duplicate: 0.08, reorder: 0.1 } as const;
    officeScenario(
      `early media and the answer arrive: seed ${seed}`,
      { seed, ...conditions },
      async (office, world) => {
        const alice = await office.phone('100');
        const bob = await office.phone('101', { onCall: () => {} });
        for (const phone of [alice, bob]) {
          let status = 0;
          for (let attempt = 0; attempt < 5 && status !== 200; attempt++) {
            ({ status } = await world.run(() => phone.register()));
          }
        }
        const call = alice.call('101');
        await world.until(() => bob.calls.length === 1);
        const [answered] = bob.calls;
        answered?.earlyMedia();
        await world.advance({ ms: 400 });
        answered?.answer();
        await world.until(call.talking());
        expect(call.state.kind).toBe('talking');
        expect(butOrigin(call.media.remote)).toBe(butOrigin(answered?.media.local));
        call.hangUp();
        await world.advance({ seconds: 120 });
        expect([office.records.length, office.pbx.calls.length]).toEqual([1, 0]);
        expect([alice.busy, bob.busy]).toEqual([
          { dialogs: 0, transactions: 0 },
          { dialogs: 0, transactions: 0 },
        ]);
        expect(seenBy(world, '101')).toContain('<PRACK');
        expect(world.log.lines('error')).toEqual([]);
      },
    );
  }
});
