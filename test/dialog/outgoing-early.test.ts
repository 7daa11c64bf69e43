/** The caller's side of RFC 3262, against a scripted callee. */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/dialog/outgoing-invite.js';
import { butOrigin } from '../support/but-origin.js';
import { type RawFields, type RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { ANSWER, OFFER, type Outgoing, withStack } from './stack.js';

function reliably(rseq: number, fields: RawFields = {}): RawFields {
  return { ...fields, headers: ['Require: 100rel', `RSeq: ${rseq}`, ...(fields.headers ?? [])] };
}

async function hangUp(outgoing: Outgoing, peer: RawPeer): Promise<void> {
  (outgoing.answers[0] as Answer).session.end();
  peer.respond(await peer.expect('BYE'), 200);
}

describe('RFC 3262 §4: a reliable provisional response', () => {
  test('Supported: 100rel is told; the PRACK goes to its Contact, in its dialog, and the ACK counts as it must', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      expect(invite.header('Supported')).toContain('100rel');
      const raw = peer.take(invite);
      raw.respond(183, reliably(7000, { body: ANSWER, contact: '<sip:desk@10.1.0.1:5060>' }));
      const prack = await peer.expect('PRACK');
      expect([prack.uri, prack.header('RAck'), prack.cseq, prack.body]).toEqual([
        'sip:desk@10.1.0.1:5060',
        '7000 1 INVITE',
        2,
        '',
      ]);
      peer.respond(prack, 200, { contact: '' });
      expect(outgoing.progress).toMatchObject([{ status: 183, sdp: ANSWER }]);
      raw.respond(200);
      await world.until(() => outgoing.answers.length === 1);
      expect(outgoing.answers[0]).toMatchObject({ agreedEarly: true, sdp: ANSWER });
      expect((await peer.expect('ACK')).cseq).toBe(1);
      (outgoing.answers[0] as Answer).session.end();
      const bye = await peer.expect('BYE');
      expect(bye.cseq).toBe(3);
      peer.respond(bye, 200);
    }));

  test('repeated: told once, one PRACK; out of order: neither, until the one between has come', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(180, reliably(10));
      raw.respond(180, reliably(10));
      peer.respond(await peer.expect('PRACK'), 200, { contact: '' });
      raw.respond(182, reliably(12));
      await world.advance({ ms: 200 });
      expect(peer.heard.filter((each) => each === 'PRACK')).toHaveLength(1);
      raw.respond(181, reliably(11));
      peer.respond(await peer.expect('PRACK'), 200, { contact: '' });
      raw.respond(182, reliably(12));
      peer.respond(await peer.expect('PRACK'), 200, { contact: '' });
      await world.advance({ ms: 200 });
      expect(outgoing.progress.map(({ status }) => status)).toEqual([180, 181, 182]);
      raw.respond(486);
      await world.until(() => outgoing.failures.length === 1);
    }));

  test('a 100 with Require and RSeq is no such response, nor one without a To tag', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 100, reliably(1));
      peer.respond(invite, 183, reliably(1));
      await world.advance({ ms: 200 });
      expect(peer.heard).not.toContain('PRACK');
      peer.take(invite).respond(486);
      await world.until(() => outgoing.failures.length === 1);
    }));

  test('each fork counts for itself, with a dialog of its own; the one that answers goes on with its CSeq', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      const pracks: WireMessage[] = [];
      for (const [toTag, rseq] of [
        ['one', 100],
        ['two', 5],
        ['one', 101],
      ] as const) {
        peer.respond(invite, 183, { ...reliably(rseq, { body: ANSWER }), toTag });
        pracks.push(await peer.expect('PRACK'));
        peer.respond(pracks.at(-1) as WireMessage, 200, { contact: '' });
      }
      expect(pracks.map((each) => [each.header('RAck'), each.cseq])).toEqual([
        ['100 1 INVITE', 2],
        ['5 1 INVITE', 2],
        ['101 1 INVITE', 3],
      ]);
      peer.respond(invite, 200, { toTag: 'one' });
      await peer.expect('ACK');
      // A late answer of the other fork is acknowledged and hung up, its numbers going on too (RFC 3261 §13.2.2.4).
      peer.respond(invite, 200, { toTag: 'two' });
      await peer.expect('ACK');
      const lost = await peer.expect('BYE');
      expect([lost.header('To')?.includes('tag=two'), lost.cseq]).toEqual([true, 3]);
      peer.respond(lost, 200);
      await world.advance({ ms: 50 });
      await hangUp(outgoing, peer);
    }));

  test('after a digest challenge the RAck names the INVITE that was sent last', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer, {
        credentials: { secretFor: () => ({ username: 'me', password: 'pw' }) },
      });
      const first = await peer.expect('INVITE');
      peer.respond(first, 407, {
        toTag: 'c',
        headers: ['Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5'],
      });
      const found = await peer.expect((each) => each.method === 'INVITE' && each.cseq > first.cseq);
      const raw = peer.take(found);
      raw.respond(183, reliably(3, { body: ANSWER }));
      const prack = await peer.expect('PRACK');
      expect([prack.header('RAck'), prack.cseq]).toEqual(['3 2 INVITE', 3]);
      peer.respond(prack, 200, { contact: '' });
      raw.respond(486);
      await world.until(() => outgoing.failures.length === 1);
    }));
});

describe('RFC 3262 §5: offer and answer', () => {
  test('an INVITE without offer that tells 100rel: the offer in the 183 waits for its answer, which goes in the PRACK', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer, { sdp: undefined as never, reliable: true });
      const invite = await peer.expect('INVITE');
      expect([invite.body, invite.header('Supported')]).toEqual(['', '100rel']);
      const raw = peer.take(invite);
      raw.respond(183, reliably(1, { body: rawSdp() }));
      await world.advance({ ms: 200 });
      expect(peer.heard).not.toContain('PRACK');
      outgoing.progress[0]?.acknowledge?.(ANSWER);
      outgoing.progress[0]?.acknowledge?.(ANSWER);
      const prack = await peer.expect('PRACK');
      expect(butOrigin(prack.body)).toBe(butOrigin(ANSWER));
      peer.respond(prack, 200, { contact: '' });
      raw.respond(200);
      const ack = await peer.expect('ACK');
      expect(ack.body).toBe('');
      const [answer] = outgoing.answers;
      expect(answer).toMatchObject({ agreedEarly: true, sdp: rawSdp() });
      expect(answer?.session.negotiating).toBe(false);
      expect(peer.heard.filter((each) => each === 'PRACK')).toHaveLength(1);
      await hangUp(outgoing, peer);
    }));

  test('without an offer it does not tell 100rel by itself', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer, { sdp: undefined as never });
      const invite = await peer.expect('INVITE');
      expect(invite.header('Supported') ?? '').not.toContain('100rel');
      peer.take(invite).respond(486);
      await world.until(() => outgoing.failures.length === 1);
    }));

  test('RFC 6337 §3.1.1: a description in the 200, after one in a reliable 183, is not listened to', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(183, reliably(1, { body: ANSWER }));
      peer.respond(await peer.expect('PRACK'), 200, { contact: '' });
      raw.respond(200, { body: rawSdp('10.1.0.9', 4900) });
      await world.until(() => outgoing.answers.length === 1);
      expect(outgoing.answers[0]?.sdp).toBe(ANSWER);
      expect(outgoing.answers[0]?.session.agreed?.remote).toBe(ANSWER);
      await peer.expect('ACK');
      await hangUp(outgoing, peer);
    }));
});

describe('what the callee may ask before the answer', () => {
  test('RFC 3311 §5.2: an UPDATE without offer refreshes the target; one with an offer gets 491 while ours is open', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(180);
      await world.until(() => outgoing.progress.length === 1);
      raw.request('UPDATE', { contact: '<sip:moved@10.1.0.1:5060>' });
      expect((await peer.expect('200 UPDATE')).header('Contact')).toContain('sip:me@192.0.2.1');
      raw.request('UPDATE', { body: OFFER });
      await peer.expect('491 UPDATE');
      raw.request('OPTIONS');
      await peer.expect('200 OPTIONS');
      raw.request('OPTIONS', { cseq: 1 });
      await peer.expect('500 OPTIONS');
      raw.request('INFO');
      await peer.expect('405 INFO');
      raw.respond(200, { body: ANSWER });
      await peer.expect('ACK');
      await hangUp(outgoing, peer);
    }));

  test('a tag that never answered gets 481', () =>
    withStack(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.request('UPDATE');
      await peer.expect('481 UPDATE');
      raw.respond(486);
      await world.until(() => outgoing.failures.length === 1);
    }));
});
