/** UPDATE in an established dialog, against a scripted peer (RFC 3311). */
import { describe, expect, test } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import type { RawPeer } from '../support/raw-peer.js';
import { ANSWER, called, established, listen, OFFER, type Stack, withStack } from './stack.js';

const NEW = OFFER.replace('6000', '6100');
const ALLOWS = ['Allow: INVITE, ACK, BYE, UPDATE'];

/** A session that the peer began, whose Allow lists UPDATE. */
async function updatable(stack: Stack, peer: RawPeer) {
  const raw = peer.dial('me', { headers: ALLOWS });
  const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
  if (session === undefined) throw new Error('the INVITE was not open');
  const told = listen(session);
  raw.learn(await peer.expect('200 INVITE'));
  raw.ack();
  await stack.world.until(() => told.acknowledged.length === 1);
  return { raw, session, told };
}

describe('an UPDATE that comes in (RFC 3311 §5.2)', () => {
  test('an offer is given to the owner; the 200 has the answer and our Contact', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, told } = await established(stack, peer);
      raw.request('UPDATE', { body: OFFER, contact: '<sip:moved@10.1.0.1:5060>' });
      await world.until(() => told.modifies.length === 1);
      expect([told.modifies[0]?.method, told.modifies[0]?.sdp]).toEqual(['UPDATE', OFFER]);
      expect(await told.modifies[0]?.accept(NEW)).toBeUndefined();
      const ok = await peer.expect('200 UPDATE');
      expect(butOrigin(ok.body)).toBe(butOrigin(NEW));
      expect(ok.header('Contact')).toBe('<sip:me@192.0.2.1:5060>');
      raw.request('BYE');
    }));

  test('without an offer it is answered at once and only refreshes the target (RFC 3261 §12.2.2)', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      raw.request('UPDATE', { contact: '<sip:moved@10.1.0.1:5060>' });
      expect((await peer.expect('200 UPDATE')).body).toBe('');
      expect(told.modifies).toEqual([]);
      session.end();
      const bye = await peer.expect('BYE');
      expect(bye.uri).toBe('sip:moved@10.1.0.1:5060');
      peer.respond(bye, 200);
    }));

  test('refused: the peer gets the status, and what was agreed holds', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, session, told } = await established(stack, peer);
      const before = session.agreed;
      raw.request('UPDATE', { body: OFFER });
      await world.until(() => told.modifies.length === 1);
      told.modifies[0]?.reject(488);
      await peer.expect('488 UPDATE');
      expect(session.agreed).toEqual(before);
      raw.request('BYE');
    }));

  test('while another one waits for our answer: 500 with Retry-After from 0 to 10', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, told } = await established(stack, peer);
      raw.request('UPDATE', { body: OFFER });
      await world.until(() => told.modifies.length === 1);
      for (const fields of [{ body: NEW }, {}]) {
        raw.request('UPDATE', fields);
        expect((await peer.expect('500 UPDATE')).header('Retry-After')).toMatch(/^([0-9]|10)$/);
      }
      raw.invite();
      raw.ackFailure(await peer.expect('500 INVITE'));
      void told.modifies[0]?.accept(NEW);
      await peer.expect('200 UPDATE');
      raw.request('BYE');
    }));

  test('RFC 5407 §3.3.2: with an offer while our re-INVITE waits: 491; without one: 200', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, session } = await updatable(stack, peer);
      const result = session.modify({ sdp: NEW });
      const ours = await peer.expect('INVITE');
      raw.request('UPDATE', { body: OFFER });
      await peer.expect('491 UPDATE');
      raw.request('UPDATE');
      await peer.expect('200 UPDATE');
      peer.respond(ours, 200, { body: ANSWER });
      expect((await world.run(() => result)).kind).toBe('accepted');
      raw.request('BYE');
    }));

  test('RFC 5407 §3.3.2: a re-INVITE while an UPDATE of ours with an offer waits: 491', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, session } = await updatable(stack, peer);
      const result = session.modify({ sdp: NEW, method: 'UPDATE' });
      const ours = await peer.expect('UPDATE');
      raw.invite();
      raw.ackFailure(await peer.expect('491 INVITE'));
      peer.respond(ours, 200, { body: ANSWER });
      expect((await world.run(() => result)).kind).toBe('accepted');
      raw.request('BYE');
    }));

  test('an offer that waits when the session ends gets 481', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, session, told } = await established(stack, peer);
      raw.request('UPDATE', { body: OFFER });
      await world.until(() => told.modifies.length === 1);
      session.end();
      await peer.expect('481 UPDATE');
      expect(told.modifies[0]?.signal.aborted).toBe(true);
      peer.respond(await peer.expect('BYE'), 200);
    }));
});

describe('an UPDATE that leaves (RFC 3311 §5.1, §5.3)', () => {
  test('where the peer has told that it allows it; the answer is agreed, its Contact is the new target', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session } = await updatable(stack, peer);
      const result = session.modify({ sdp: NEW, method: 'UPDATE' });
      const update = await peer.expect('UPDATE');
      expect(butOrigin(update.body)).toBe(butOrigin(NEW));
      peer.respond(update, 200, { body: OFFER, contact: '<sip:moved@10.1.0.1:5060>' });
      expect(await world.run(() => result)).toMatchObject({ kind: 'accepted', sdp: OFFER });
      expect(session.agreed).toEqual({ local: update.body, remote: OFFER });
      session.end();
      const bye = await peer.expect('BYE');
      expect(bye.uri).toBe('sip:moved@10.1.0.1:5060');
      peer.respond(bye, 200);
    }));

  test('a re-INVITE instead where it has not; it is given up after 25 s, before the UPDATE it stands for times out', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session } = await called(stack, peer);
      const result = session.modify({ sdp: NEW, method: 'UPDATE' });
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 180);
      const begin = world.clock.now();
      expect(await world.run(() => result)).toMatchObject({ kind: 'rejected', status: 504 });
      expect(world.clock.now() - begin).toBeLessThan(25_001);
      const cancel = await peer.expect('CANCEL');
      peer.respond(cancel, 200);
      peer.respond(invite, 487);
      await peer.expect('ACK');
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('491: tried again by itself only when it is ours, after 0–2 s, for the peer owns the Call-ID (§5.3)', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session } = await updatable(stack, peer);
      const passed = session.modify({ sdp: NEW, method: 'UPDATE' });
      peer.respond(await peer.expect('UPDATE'), 491);
      expect(await world.run(() => passed)).toMatchObject({ kind: 'rejected', status: 491 });
      const own = session.modify({ sdp: NEW, method: 'UPDATE', retry: true });
      const first = await peer.expect('UPDATE');
      peer.respond(first, 491);
      const second = await peer.expect('UPDATE');
      expect(second.at - first.at).toBeLessThanOrEqual(2030);
      expect((second.at - first.at) % 10).toBe(0);
      peer.respond(second, 200, { body: ANSWER });
      expect((await world.run(() => own)).kind).toBe('accepted');
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('RFC 3261 §14.1: after 2.1–4 s where we own the Call-ID; the end of the session ends the wait', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session, raw } = await called(stack, peer);
      const own = session.modify({ sdp: NEW, retry: true });
      const first = await peer.expect('INVITE');
      peer.respond(first, 491);
      const second = await peer.expect('INVITE');
      expect(second.at - first.at).toBeGreaterThanOrEqual(2100);
      expect(second.at - first.at).toBeLessThanOrEqual(4030);
      peer.respond(second, 491);
      await world.advance({ ms: 100 });
      raw.request('BYE', { cseq: 50 });
      expect(await world.run(() => own)).toEqual({ kind: 'ended' });
      await world.advance({ seconds: 5 });
      expect(peer.heard.filter((each) => each === 'INVITE')).toHaveLength(3);
    }));

  test('§5.3: 481, 408 and silence end the dialog, other refusals do not', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session, told } = await updatable(stack, peer);
      const kept = session.modify({ sdp: NEW, method: 'UPDATE' });
      peer.respond(await peer.expect('UPDATE'), 488);
      expect(await world.run(() => kept)).toMatchObject({ kind: 'rejected', status: 488 });
      expect(told.ends).toEqual([]);
      const lost = session.modify({ sdp: NEW, method: 'UPDATE' });
      peer.respond(await peer.expect('UPDATE'), 481);
      expect(await world.run(() => lost)).toMatchObject({ kind: 'rejected', status: 481 });
      expect(told.ends).toMatchObject([{ by: 'network', cause: 'gone' }]);
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('what is accepted when nobody waits any more is told, with what was agreed before', () =>
    withStack(async ({ stack, peer, world }) => {
      const { session } = await updatable(stack, peer);
      const late: unknown[] = [];
      session.handle({ onModify: () => {}, onEnded: () => {}, onAcceptedLate: (before) => late.push(before) });
      const before = session.agreed;
      const abort = new AbortController();
      const result = session.modify({ sdp: NEW, method: 'UPDATE', signal: abort.signal });
      const update = await peer.expect('UPDATE');
      abort.abort();
      expect(await world.run(() => result)).toEqual({ kind: 'ended' });
      peer.respond(update, 200, { body: ANSWER });
      await world.until(() => late.length === 1);
      expect(late).toEqual([before]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));
});

describe('a refresh (RFC 4028 §7.4): what the peer said before, to the letter', () => {
  test('a re-INVITE or UPDATE is answered here, with the same o= line as before', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, told, ok, invite } = await established(stack, peer);
      const offer = invite.sdp as string;
      raw.request('INVITE', { body: offer });
      const again = await peer.expect('200 INVITE');
      expect(again.body).toBe(ok.body);
      raw.ack();
      raw.request('UPDATE', { body: offer });
      expect((await peer.expect('200 UPDATE')).body).toBe(ok.body);
      await world.advance({ ms: 50 });
      expect(told.modifies).toEqual([]);
      raw.request('BYE');
    }));

  test('RFC 3264 §6.1: an answer is narrowed where our offer stood wider', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, session, told } = await established(stack, peer);
      const result = session.modify({ sdp: NEW });
      const listening = `${OFFER}a=recvonly\r\n`;
      peer.respond(await peer.expect('INVITE'), 200, { body: listening });
      await world.run(() => result);
      raw.request('UPDATE', { body: listening });
      const ok = await peer.expect('200 UPDATE');
      expect(ok.body).toContain('a=sendonly');
      expect(told.modifies).toEqual([]);
      raw.request('BYE');
    }));

  test('a new version alone is something new', () =>
    withStack(async ({ stack, peer, world }) => {
      const { raw, told, invite } = await established(stack, peer);
      raw.request('UPDATE', { body: (invite.sdp as string).replace('raw 1 1', 'raw 1 2') });
      await world.until(() => told.modifies.length === 1);
      told.modifies[0]?.reject(488);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));
});
