import { describe, expect, test } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { tagIn } from '../support/raw-peer.js';
import { ANSWER, listen, OFFER, withStack } from './stack.js';

describe('an INVITE that leaves (RFC 3261 §13.2.1)', () => {
  test('has what a dialog needs: tag, Contact, Allow, Max-Forwards, the offer', () =>
    withStack(async ({ stack, peer }) => {
      const { invite, failures } = stack.invite(peer, { maxForwards: 12, headers: { Subject: 'lunch' } });
      const seen = await peer.expect('INVITE');
      expect(seen.uri).toBe(peer.uri);
      expect(seen.header('Max-Forwards')).toBe('12');
      expect(seen.header('From')).toBe(`"Me" <sip:me@office.test>;tag=${invite.localTag}`);
      expect(seen.header('To')).toBe(`<${peer.uri}>`);
      expect(seen.callId).toBe(invite.callId);
      expect(seen.cseq).toBe(1);
      expect(seen.header('Contact')).toContain('sip:me@192.0.2.1:5060');
      expect(seen.header('Allow')).toContain('BYE');
      expect(seen.header('Subject')).toBe('lunch');
      expect(butOrigin(seen.body)).toBe(butOrigin(OFFER));
      peer.respond(seen, 486, { toTag: 'x' });
      await stack.world.until(() => failures.length === 1);
    }));

  test('provisional responses above 100 are told, each with its To tag (§13.2.2.1)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { progress, failures } = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 100, { contact: '' });
      peer.respond(invite, 180, { toTag: 'one' });
      peer.respond(invite, 183, { toTag: 'two', body: ANSWER });
      await world.advance({ ms: 50 });
      expect(progress.map(({ status, remoteTag, sdp }) => [status, remoteTag, sdp])).toEqual([
        [180, 'one', undefined],
        [183, 'two', ANSWER],
      ]);
      peer.respond(invite, 404, { toTag: 'one' });
      await world.until(() => failures.length === 1);
    }));

  test('§13.2.2.3: a failure is acknowledged and told once', () =>
    withStack(async ({ world, stack, peer }) => {
      const { failures } = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 486, { toTag: 'x' });
      peer.respond(invite, 486, { toTag: 'x' });
      await peer.expect('ACK');
      await world.advance({ seconds: 1 });
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ kind: 'response', response: { status: 486 } });
    }));

  test('a 200 under a branch that is not ours answers the call, and the transaction that rings is not kept for ever', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers, failures } = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 180, { toTag: 'x' });
      const astray = invite.all('Via').map((via) => via.replace(/branch=[^;]+/, 'branch=z9hG4bK-astray'));
      peer.respond({ ...invite, all: (name) => (name === 'Via' ? astray : invite.all(name)) }, 200, {
        toTag: 'x',
        body: ANSWER,
      });
      await peer.expect('ACK');
      await world.until(() => answers.length === 1);
      await world.advance({ seconds: 60 });
      expect(failures).toEqual([]);
      expect(stack.transactions.stats()).toMatchObject({ client: 0, server: 0 });
      answers[0]?.session.end();
      const bye = await peer.expect('BYE');
      peer.respond(bye, 200);
    }));

  test('§17.1.1.2: silence is a timeout', () =>
    withStack(async ({ world, stack, peer }) => {
      const { failures } = stack.invite(peer);
      await world.until(() => failures.length === 1);
      expect(world.clock.now()).toBe(32_000);
      expect(failures).toMatchObject([{ kind: 'timeout' }]);
    }));

  test('§22.2: after a 407 the ACK has the CSeq and credentials of the second INVITE, BYE the next number', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers } = stack.invite(peer, {
        credentials: { secretFor: () => ({ username: 'me', password: 'pw' }) },
      });
      const first = await peer.expect('INVITE');
      peer.respond(first, 407, {
        toTag: 'x',
        headers: ['Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5'],
      });
      await peer.expect('ACK');
      const second = await peer.expect('INVITE');
      expect([second.callId, second.cseq]).toEqual([first.callId, 2]);
      const raw = peer.take(second);
      raw.respond(200, { body: ANSWER });
      const ack = await peer.expect('ACK');
      expect(ack.cseq).toBe(2);
      expect(ack.header('Proxy-Authorization')).toBe(second.header('Proxy-Authorization'));
      await world.until(() => answers.length === 1);
      answers[0]?.session.end();
      const bye = await peer.expect('BYE');
      expect(bye.cseq).toBe(3);
      peer.respond(bye, 200);
    }));

  test('§22.1: the requests of its dialog carry credentials at once, and answer a challenge of their own', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers } = stack.invite(peer, {
        credentials: { secretFor: () => ({ username: 'me', password: 'pw' }) },
      });
      const challenge = (nonce: string): string =>
        `Proxy-Authenticate: Digest realm="r", nonce="${nonce}", qop="auth", algorithm=MD5`;
      const first = await peer.expect('INVITE');
      peer.respond(first, 407, { toTag: 'x', headers: [challenge('one')] });
      await peer.expect('ACK');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(200, { body: ANSWER });
      await peer.expect('ACK');
      await world.until(() => answers.length === 1);
      const session = answers[0]?.session;
      const modified = session?.modify({ sdp: OFFER });
      const again = await peer.expect('INVITE');
      expect(again.cseq).toBe(3);
      expect(again.header('Proxy-Authorization')).toMatch(/nonce="one".*nc=00000002/);
      peer.respond(again, 407, { headers: [challenge('two')] });
      await peer.expect('ACK');
      const retried = await peer.expect('INVITE');
      expect(retried.cseq).toBe(4);
      expect(retried.header('Proxy-Authorization')).toMatch(/nonce="two".*nc=00000001/);
      peer.respond(retried, 200, { body: ANSWER });
      await peer.expect('ACK');
      expect(await modified).toMatchObject({ kind: 'accepted' });
      session?.end();
      const bye = await peer.expect('BYE');
      expect([bye.cseq, bye.header('Proxy-Authorization')]).toEqual([5, expect.stringMatching(/nc=00000002/)]);
      peer.respond(bye, 407, { headers: [challenge('three')] });
      const repeated = await peer.expect('BYE');
      expect([repeated.cseq, repeated.header('Proxy-Authorization')]).toEqual([6, expect.stringContaining('"three"')]);
      peer.respond(repeated, 407, { headers: [challenge('four')] });
      await world.advance({ seconds: 33 });
      expect(peer.received.filter(({ method }) => method === 'BYE')).toHaveLength(2);
    }));
});

describe('the 2xx (RFC 3261 §13.2.2.4)', () => {
  test('is acknowledged to its Contact, by a branch of its own, without a body when the INVITE had the offer', () =>
    withStack(async ({ stack, peer }) => {
      const { answers } = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      peer.respond(invite, 200, { toTag: 'x', body: ANSWER, contact: `<sip:desk@${peer.address}:5060;a=b>` });
      const ack = await peer.expect('ACK');
      expect(ack.uri).toBe(`sip:desk@${peer.address}:5060;a=b`);
      expect(ack.header('Via')).not.toBe(invite.header('Via'));
      expect(ack.body).toBe('');
      expect(answers).toMatchObject([{ remoteTag: 'x', sdp: ANSWER }]);
      answers[0]?.acknowledge('too late');
      answers[0]?.session.end();
      peer.respond(await peer.expect('BYE'), 200);
      expect(peer.heard.filter((each) => each === 'ACK')).toHaveLength(1);
    }));

  test('§13.2.1: an offer in the 2xx is answered in the ACK, when the owner says how, once', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers } = stack.invite(peer, { sdp: undefined } as never);
      const invite = await peer.expect('INVITE');
      expect(invite.body).toBe('');
      const raw = peer.take(invite);
      raw.respond(200, { body: OFFER });
      await world.until(() => answers.length === 1);
      await world.advance({ ms: 300 });
      expect(peer.heard).not.toContain('ACK');
      answers[0]?.acknowledge(ANSWER);
      answers[0]?.acknowledge(ANSWER);
      expect(butOrigin((await peer.expect('ACK')).body)).toBe(butOrigin(ANSWER));
      raw.respond(200, { body: OFFER });
      expect(butOrigin((await peer.expect('ACK')).body)).toBe(butOrigin(ANSWER));
      expect(peer.heard.filter((each) => each === 'ACK')).toHaveLength(2);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('a second one from another fork is acknowledged and ended; the first goes on', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers, failures } = stack.invite(peer);
      const invite = await peer.expect('INVITE');
      const first = peer.take(invite);
      const second = peer.take(invite);
      first.respond(200, { body: ANSWER });
      second.respond(200, { body: ANSWER });
      await peer.expect('ACK');
      const ack = await peer.expect('ACK');
      const bye = await peer.expect('BYE');
      expect(tagIn(ack.header('To'))).toBe(tagIn(second.dialog.local));
      expect(tagIn(bye.header('To'))).toBe(tagIn(second.dialog.local));
      expect(bye.cseq).toBe(2);
      peer.respond(bye, 200);
      expect([answers.length, failures.length]).toEqual([1, 0]);
      expect(answers[0]?.session.ended).toBe(false);
      // Repeated, because the ACK was lost: the same ACK again and no second BYE.
      second.respond(200, { body: ANSWER });
      expect((await peer.expect('ACK')).text).toBe(ack.text);
      await world.advance({ seconds: 1 });
      expect(peer.heard.filter((each) => each === 'BYE')).toHaveLength(1);
      first.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('that comes after Timer B is acknowledged and ended all the same', () =>
    withStack(async ({ world, stack, peer }) => {
      const { answers, failures } = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      await world.until(() => failures.length === 1);
      await world.advance({ seconds: 3 });
      raw.respond(200, { body: ANSWER });
      expect((await peer.expect('ACK')).cseq).toBe(1);
      peer.respond(await peer.expect('BYE'), 200);
      expect([answers.length, failures.length]).toEqual([0, 1]);
    }));

  test('to an INVITE that nobody sent is dropped', () =>
    withStack(async ({ world, stack, peer }) => {
      const { invite } = stack.invite(peer);
      const seen = await peer.expect('INVITE');
      peer.send(
        [
          'SIP/2.0 200 OK',
          `Via: ${seen.header('Via')?.replace(/branch=[^;]+/, 'branch=z9hG4bKother')}`,
          `From: <sip:me@office.test>;tag=other`,
          `To: <${peer.uri}>;tag=x`,
          `Call-ID: ${invite.callId}`,
          'CSeq: 1 INVITE',
          `Contact: <${peer.uri}>`,
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n'),
      );
      await world.advance({ ms: 200 });
      expect(peer.heard).toEqual(['INVITE']);
      peer.respond(seen, 480, { toTag: 'x' });
      await peer.expect('ACK');
    }));
});

describe('CANCEL (RFC 3261 §9.1)', () => {
  test('waits for a provisional response; the 487 is acknowledged and told as cancelled', () =>
    withStack(async ({ world, stack, peer }) => {
      const { invite, failures, progress } = stack.invite(peer);
      const seen = await peer.expect('INVITE');
      invite.cancel({ Reason: 'SIP;cause=200;text="Call completed elsewhere"' });
      await world.advance({ ms: 300 });
      expect(peer.heard).not.toContain('CANCEL');
      peer.respond(seen, 180, { toTag: 'x' });
      const cancel = await peer.expect('CANCEL');
      expect(cancel.header('Via')).toBe(seen.header('Via'));
      expect(cancel.cseq).toBe(1);
      expect(cancel.header('Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
      peer.respond(cancel, 200, { toTag: 'x', contact: '' });
      peer.respond(seen, 487, { toTag: 'x' });
      await peer.expect('ACK');
      await world.until(() => failures.length === 1);
      expect(failures).toEqual([{ kind: 'cancelled' }]);
      expect(progress).toEqual([]);
    }));

  test('RFC 5407 §3.1.2: a 200 that crosses it gets ACK and BYE', () =>
    withStack(async ({ world, stack, peer }) => {
      const { invite, answers, failures } = stack.invite(peer);
      const seen = await peer.expect('INVITE');
      const raw = peer.take(seen);
      raw.respond(180);
      await world.advance({ ms: 50 });
      invite.cancel();
      raw.respond(200, { body: ANSWER });
      const cancel = await peer.expect('CANCEL');
      peer.respond(cancel, 200, { toTag: 'x', contact: '' });
      const ack = await peer.expect('ACK');
      peer.respond(await peer.expect('BYE'), 200);
      expect(failures).toEqual([{ kind: 'cancelled' }]);
      expect(answers).toEqual([]);
      raw.respond(200, { body: ANSWER });
      expect((await peer.expect('ACK')).text).toBe(ack.text);
    }));

  test('a peer that answers CANCEL and never the INVITE: given up 64·T1 later (§9.1)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { invite, failures } = stack.invite(peer);
      const seen = await peer.expect('INVITE');
      peer.respond(seen, 180, { toTag: 'x' });
      await world.advance({ ms: 50 });
      invite.cancel();
      const cancel = await peer.expect('CANCEL');
      peer.respond(cancel, 200, { toTag: 'x', contact: '' });
      await world.until(() => failures.length === 1);
      expect(failures).toEqual([{ kind: 'cancelled' }]);
      expect(world.clock.now() - cancel.at).toBeLessThanOrEqual(32_000);
    }));

  test('after the answer it does nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const { invite, answers } = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(200, { body: ANSWER });
      await world.until(() => answers.length === 1);
      const told = listen((answers[0] as (typeof answers)[number]).session);
      invite.cancel();
      await world.advance({ seconds: 1 });
      expect(peer.heard).toEqual(['INVITE', 'ACK']);
      expect(told.ends).toEqual([]);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));
});
