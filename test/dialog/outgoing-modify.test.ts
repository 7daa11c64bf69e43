import { describe, expect, test } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { ANSWER, established, listen, OFFER, withStack } from './stack.js';

describe('a re-INVITE that leaves (RFC 3261 §14.1)', () => {
  test('carries the offer; its answer is the result; the new Contact becomes the target', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      const result = session.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      expect([butOrigin(invite.body), invite.header('Contact')]).toEqual([butOrigin(OFFER), '<sip:me@192.0.2.1:5060>']);
      peer.respond(invite, 200, { body: ANSWER, contact: '<sip:new@10.1.0.1:5060>' });
      expect(await world.run(() => result)).toMatchObject({ kind: 'accepted', sdp: ANSWER });
      const ack = await peer.expect('ACK');
      expect([ack.uri, ack.body, ack.cseq]).toEqual(['sip:new@10.1.0.1:5060', '', invite.cseq]);
      session.end();
      const bye = await peer.expect('BYE');
      expect(bye.uri).toBe('sip:new@10.1.0.1:5060');
      peer.respond(bye, 200);
    }));

  test('§13.2.2.4: a 2xx that comes when its transaction is gone is acknowledged, one to a number never used is not', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      void session.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 500);
      await peer.expect('ACK');
      await world.advance({ seconds: 40 });
      peer.respond(invite, 200, { body: ANSWER });
      const ack = await peer.expect('ACK');
      expect([ack.cseq, ack.body]).toEqual([invite.cseq, '']);
      const acks = peer.received.length;
      peer.respond({ ...invite, header: (name) => (name === 'CSeq' ? '99 INVITE' : invite.header(name)) }, 200, {
        cseq: 99,
      });
      await world.advance({ seconds: 1 });
      expect(peer.received).toHaveLength(acks);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('without an offer: the peer offers in the 200, the ACK answers', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      const result = session.modify();
      const invite = await peer.expect('INVITE');
      expect(invite.body).toBe('');
      peer.respond(invite, 200, { body: OFFER });
      const accepted = await world.run(() => result);
      if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
      expect(accepted.sdp).toBe(OFFER);
      await world.advance({ ms: 100 });
      expect(peer.heard).not.toContain('ACK');
      accepted.acknowledge(ANSWER);
      accepted.acknowledge(ANSWER);
      expect(butOrigin((await peer.expect('ACK')).body)).toBe(butOrigin(ANSWER));
      await world.advance({ ms: 100 });
      expect(peer.heard.filter((each) => each === 'ACK')).toHaveLength(1);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  for (const status of [488, 491, 500, 503, 606]) {
    test(`${status} leaves the session as it was`, () =>
      withStack(async ({ world, stack, peer }) => {
        const { session, told } = await established(stack, peer);
        const result = session.modify({ sdp: OFFER });
        peer.respond(await peer.expect('INVITE'), status);
        expect(await world.run(() => result)).toEqual({ kind: 'rejected', status, reason: 'Raw' });
        await peer.expect('ACK');
        await world.advance({ seconds: 5 });
        expect(told.ends).toEqual([]);
        session.end();
        peer.respond(await peer.expect('BYE'), 200);
      }));
  }

  for (const status of [481, 408]) {
    test(`§12.2.1.2: ${status} ends the dialog`, () =>
      withStack(async ({ world, stack, peer }) => {
        const { session, told } = await established(stack, peer);
        const result = session.modify({ sdp: OFFER });
        peer.respond(await peer.expect('INVITE'), status);
        expect(await world.run(() => result)).toMatchObject({ kind: 'rejected', status });
        peer.respond(await peer.expect('BYE'), 481);
        expect(told.ends).toEqual([{ by: 'network', cause: 'gone', reason: [] }]);
      }));
  }

  test('§12.2.1.2: silence ends the dialog', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      const result = session.modify({ sdp: OFFER });
      expect(await world.run(() => result)).toMatchObject({ kind: 'rejected', status: 408 });
      expect(told.ends).toMatchObject([{ cause: 'gone' }]);
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§14.1: another one at the same time is refused here with 491', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      const first = session.modify({ sdp: OFFER });
      expect(await world.run(() => session.modify({ sdp: OFFER }))).toMatchObject({ kind: 'rejected', status: 491 });
      peer.respond(await peer.expect('INVITE'), 488);
      expect(await world.run(() => first)).toMatchObject({ status: 488 });
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§14.1: and one while the other side’s waits too', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      raw.invite();
      await world.until(() => told.modifies.length === 1);
      expect(await world.run(() => session.modify({ sdp: OFFER }))).toMatchObject({ status: 491 });
      told.modifies[0]?.reject(488);
      raw.ackFailure(await peer.expect('488 INVITE'));
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('the signal cancels it; the 487 ends nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      const abort = new AbortController();
      const result = session.modify({ sdp: OFFER, signal: abort.signal });
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 100, { contact: '' });
      await world.advance({ ms: 50 });
      abort.abort();
      expect(await world.run(() => result)).toEqual({ kind: 'ended' });
      peer.respond(await peer.expect('CANCEL'), 200, { contact: '' });
      peer.respond(invite, 487);
      await peer.expect('ACK');
      expect(told.ends).toEqual([]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§14.1: until the cancelled one has its final response another is refused here with 491, and 491 is told to the peer', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, raw } = await established(stack, peer);
      const abort = new AbortController();
      const result = session.modify({ sdp: OFFER, signal: abort.signal });
      const invite = await peer.expect('INVITE');
      abort.abort();
      expect(await world.run(() => result)).toEqual({ kind: 'ended' });
      expect(await world.run(() => session.modify({ sdp: OFFER }))).toMatchObject({ kind: 'rejected', status: 491 });
      raw.invite();
      raw.ackFailure(await peer.expect('491 INVITE'));
      peer.respond(invite, 486);
      await peer.expect('ACK');
      const next = session.modify({ sdp: OFFER });
      peer.respond(await peer.expect('INVITE'), 488);
      expect(await world.run(() => next)).toMatchObject({ kind: 'rejected', status: 488 });
      await peer.expect('ACK');
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('a peer that says Trying and nothing more: cancelled after a minute, the session goes on as it was', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      const begin = world.clock.now();
      const result = session.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 100, { contact: '' });
      expect(await world.run(() => result)).toMatchObject({ kind: 'rejected', status: 504 });
      expect(world.clock.now() - begin).toBe(60_000);
      peer.respond(await peer.expect('CANCEL'), 200, { contact: '' });
      peer.respond(invite, 487);
      await peer.expect('ACK');
      expect([told.ends, session.negotiating]).toEqual([[], false]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('a signal that has fired already sends nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      expect(await world.run(() => session.modify({ sdp: OFFER, signal: AbortSignal.abort() }))).toEqual({
        kind: 'ended',
      });
      expect(peer.heard).not.toContain('INVITE');
      expect(session.negotiating).toBe(false);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('a session that has ended sends nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(await world.run(() => session.modify({ sdp: OFFER }))).toEqual({ kind: 'ended' });
      expect(listen(session).ends).toHaveLength(1);
    }));
});
