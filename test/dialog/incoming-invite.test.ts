import { describe, expect, test } from 'vitest';
import type { Abandoned } from '../../src/dialog/incoming-invite.js';
import { butOrigin } from '../support/but-origin.js';
import { rawSdp, tagIn } from '../support/raw-peer.js';
import { ANSWER, OFFER, withStack } from './stack.js';

describe('an INVITE that comes in (RFC 3261 §13.3.1)', () => {
  test('180, 183 with early media and 200 have the same To tag, a Contact and Allow', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      expect(invite.sdp).toBe(rawSdp());
      invite.progress({ status: 180 });
      invite.progress({ status: 183, reason: 'Music', sdp: ANSWER, headers: { Reason: 'Q.850;cause=1' } });
      const session = invite.accept({ sdp: ANSWER, headers: { Subject: 'hi' } });
      const [ringing, early, ok] = [await peer.expect(180), await peer.expect(183), await peer.expect(200)];
      const tags = [ringing, early, ok].map((each) => tagIn(each.header('To')));
      expect(new Set(tags).size).toBe(1);
      expect(ringing.body).toBe('');
      expect([early, ok].map((each) => butOrigin(each.body))).toEqual([butOrigin(ANSWER), butOrigin(ANSWER)]);
      expect(ok.body).toBe(early.body);
      expect(early.text).toContain('SIP/2.0 183 Music');
      expect(early.header('Reason')).toBe('Q.850;cause=1');
      expect(ok.header('Subject')).toBe('hi');
      for (const each of [ringing, early, ok]) {
        expect(each.header('Contact')).toContain('sip:me@192.0.2.1:5060');
        expect(each.header('Allow')).toContain('BYE');
      }
      raw.learn(ok);
      raw.ack();
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(session?.ended).toBe(true);
    }));

  test('each answering source has a To tag of its own, and no tag sees two answers', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER, branch: 'one' });
      invite.progress({ status: 183, sdp: OFFER, branch: 'two' });
      invite.progress({ status: 180, branch: 'one' });
      invite.progress({ status: 183, sdp: OFFER, branch: 'one' });
      const seen = [await peer.expect(183), await peer.expect(183), await peer.expect(180), await peer.expect(183)];
      const [one, two, ringing, changed] = seen.map((each) => tagIn(each.header('To')));
      expect(ringing).toBe(one);
      expect(new Set([one, two, changed]).size).toBe(3);
      invite.accept({ sdp: OFFER, branch: 'two' });
      const ok = await peer.expect(200);
      expect(tagIn(ok.header('To'))).toBe(two);
      raw.learn(ok);
      raw.ack();
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(stack.dialogs.size).toBe(0);
    }));

  test('only so many sources get a tag of their own: the rest are not told', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      for (let i = 0; i < 200; i++) invite.progress({ status: 183, sdp: ANSWER, branch: `b${i}` });
      await world.advance({ ms: 50 });
      expect(peer.heard.filter((each) => each === '183 INVITE')).toHaveLength(32);
      expect(stack.dialogs.size).toBe(32);
      invite.reject({ status: 480 });
      raw.ackFailure(await peer.expect(480), 'sip:me@office.test');
      expect(stack.dialogs.size).toBe(0);
    }));

  test('an answer that differs from the early one gets another tag', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      invite.accept({ sdp: OFFER });
      const [early, ok] = [await peer.expect(183), await peer.expect(200)];
      expect(tagIn(ok.header('To'))).not.toBe(tagIn(early.header('To')));
      raw.learn(ok);
      raw.ack();
      raw.request('BYE');
    }));

  test('§13.3.1.2, §13.3.1.3: refused and redirected once; what comes later changes nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      invite.reject({ status: 302, reason: 'Elsewhere', headers: { Contact: '<sip:other@10.9.9.9>' } });
      invite.reject({ status: 486 });
      invite.progress({ status: 180 });
      const answer = await peer.expect(302);
      raw.ackFailure(answer);
      expect(answer.text).toContain('302 Elsewhere');
      expect(answer.header('Contact')).toBe('<sip:other@10.9.9.9>');
      expect(tagIn(answer.header('To'))).not.toBe('');
      await world.advance({ seconds: 1 });
      expect(peer.heard.filter((each) => each !== '100 INVITE')).toEqual(['302 INVITE']);
      expect(() => invite.accept({ sdp: ANSWER })).toThrow(/answered already/);
    }));

  test('accepting twice is a mistake of the program', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      invite.accept({ sdp: ANSWER });
      expect(() => invite.accept({ sdp: ANSWER })).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
      raw.learn(await peer.expect(200));
      raw.ack();
      raw.request('BYE');
    }));

  test('§14.2 does not apply before the answer: a header of the dialog that cannot be read is refused with 400', () =>
    withStack(async ({ stack, peer }) => {
      for (const headers of [['Record-Route: <sip:'], ['Expires: soon']]) {
        const raw = peer.dial('me', { headers });
        const refused = await peer.expect('400 INVITE');
        raw.ackFailure(refused, 'sip:me@office.test');
      }
      for (const contact of ['<sip:', '*', '']) {
        peer.dial('me', { contact });
        await peer.expect('400 INVITE');
      }
      expect(stack.incoming).toEqual([]);
    }));
});

describe('a caller who gives up', () => {
  const gone = async (
    parts: Parameters<Parameters<typeof withStack>[0]>[0],
    headers: readonly string[] = [],
  ): Promise<{
    raw: ReturnType<typeof parts.peer.dial>;
    invite: Awaited<ReturnType<typeof parts.stack.nextInvite>>;
    abandoned: Abandoned[];
  }> => {
    const raw = parts.peer.dial('me', { headers });
    const invite = await parts.stack.nextInvite();
    const abandoned: Abandoned[] = [];
    invite.onAbandoned((each) => abandoned.push(each));
    invite.progress({ status: 180 });
    raw.learn(await parts.peer.expect(180));
    return { raw, invite, abandoned };
  };

  test('§9.2: CANCEL gets 200, the INVITE 487; the signal fires and its Reason is told', () =>
    withStack(async (parts) => {
      const { raw, invite, abandoned } = await gone(parts);
      const { remote } = raw.dialog;
      raw.dialog.remote = remote.replace(/;tag=.*/, '');
      raw.cancel({ headers: ['Reason: SIP;cause=200'], uri: 'sip:me@office.test' });
      await parts.peer.expect('200 CANCEL');
      const ended = await parts.peer.expect('487 INVITE');
      expect(tagIn(ended.header('To'))).toBe(tagIn(remote));
      raw.ackFailure(ended, 'sip:me@office.test');
      expect(abandoned).toEqual([{ cause: 'cancel', reason: ['SIP;cause=200'] }]);
      expect([invite.open, invite.signal.aborted]).toEqual([false, true]);
      expect(invite.accept({ sdp: ANSWER })).toBeUndefined();
    }));

  test('RFC 5407 §3.1.3: BYE in the early dialog gets 200, the INVITE 487', () =>
    withStack(async (parts) => {
      const { raw, invite, abandoned } = await gone(parts);
      raw.request('BYE', { headers: ['Reason: Q.850;cause=16'] });
      await parts.peer.expect('200 BYE');
      const ended = await parts.peer.expect('487 INVITE');
      raw.ackFailure(ended, 'sip:me@office.test');
      expect(abandoned).toEqual([{ cause: 'bye', reason: ['Q.850;cause=16'] }]);
      expect(invite.signal.aborted).toBe(true);
      expect(parts.stack.dialogs.size).toBe(0);
    }));

  test('§13.3.1: Expires of the INVITE: 487 when it has run out', () =>
    withStack(async (parts) => {
      const { raw, abandoned } = await gone(parts, ['Expires: 20']);
      const ended = await parts.peer.expect('487 INVITE');
      raw.ackFailure(ended, 'sip:me@office.test');
      expect(ended.at).toBe(20_010);
      expect(abandoned).toEqual([{ cause: 'expired', reason: [] }]);
    }));

  test('§13.3.1: Expires says nothing any more after the answer', () =>
    withStack(async (parts) => {
      const { raw, invite, abandoned } = await gone(parts, ['Expires: 20']);
      invite.accept({ sdp: ANSWER });
      await parts.peer.expect(200);
      raw.ack({ cseq: 1 });
      await parts.world.advance({ seconds: 30 });
      expect(abandoned).toEqual([]);
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
    }));

  test('§12.2.2 in the early dialog: order of CSeq, OPTIONS, an unknown method, a second INVITE', () =>
    withStack(async (parts) => {
      const { raw, abandoned } = await gone(parts);
      const { peer } = parts;
      raw.request('OPTIONS', { cseq: 10 });
      expect((await peer.expect('200 OPTIONS')).header('Allow')).toContain('INVITE');
      raw.request('INFO', { cseq: 11 });
      await peer.expect('405 INFO');
      raw.request('OPTIONS', { cseq: 9 });
      await peer.expect('500 OPTIONS');
      raw.request('BYE', { cseq: 12 });
      await peer.expect('200 BYE');
      await peer.expect('487 INVITE');
      expect(abandoned).toHaveLength(1);
    }));

  test('§14.2: an INVITE in the early dialog gets 500 with Retry-After', () =>
    withStack(async (parts) => {
      const { raw, invite } = await gone(parts);
      const { peer } = parts;
      raw.request('INVITE', { cseq: 2, body: OFFER });
      const refused = await peer.expect('500 INVITE');
      expect(Number(refused.header('Retry-After'))).toBeLessThanOrEqual(10);
      raw.ackFailure(refused);
      invite.reject({ status: 480 });
      await peer.expect('480 INVITE');
    }));
});
