/** Session timers against a scripted peer (RFC 4028). */
import { describe, expect, test } from 'vitest';
import type { SessionTimerPolicy } from '../../src/dialog/policies.js';
import type { RawPeer, WireMessage } from '../support/raw-peer.js';
import { ANSWER, listen, type Stack, withStack } from './stack.js';

const POLICY: SessionTimerPolicy = { seconds: 1800, minSeconds: 90, always: true };
const UPDATE = 'Allow: INVITE, ACK, BYE, UPDATE';

function withTimer(body: Parameters<typeof withStack>[0], policy: Partial<SessionTimerPolicy> = {}): Promise<void> {
  return withStack(body, { sessionTimer: { ...POLICY, ...policy } });
}

/** A session that the peer began with these headers. */
async function begun(stack: Stack, peer: RawPeer, headers: readonly string[]) {
  const raw = peer.dial('me', { headers });
  const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
  if (session === undefined) throw new Error('the INVITE was not open');
  const told = listen(session);
  const ok = await peer.expect('200 INVITE');
  raw.learn(ok);
  raw.ack();
  await stack.world.until(() => told.acknowledged.length === 1);
  return { raw, session, told, ok };
}

/** A session that we began, answered with these headers. */
async function answered(stack: Stack, peer: RawPeer, headers: readonly string[]) {
  const outgoing = stack.invite(peer);
  const invite = await peer.expect('INVITE');
  const raw = peer.take(invite);
  raw.respond(200, { body: ANSWER, headers });
  await stack.world.until(() => outgoing.answers.length === 1);
  const session = outgoing.answers[0]?.session;
  if (session === undefined) throw new Error('not answered');
  await peer.expect('ACK');
  return { raw, session, told: listen(session), invite };
}

describe('RFC 4028 §9, table 2: who refreshes, as the called side says it', () => {
  const cases = [
    { says: [], refresher: 'uas', require: undefined, seconds: 1800 },
    { says: ['Supported: timer'], refresher: 'uac', require: 'timer', seconds: 1800 },
    { says: ['Supported: timer', 'Session-Expires: 600'], refresher: 'uac', require: 'timer', seconds: 600 },
    {
      says: ['Supported: timer', 'Session-Expires: 600;refresher=uac'],
      refresher: 'uac',
      require: 'timer',
      seconds: 600,
    },
    { says: ['Supported: timer', 'x: 600;refresher=uas'], refresher: 'uas', require: 'timer', seconds: 600 },
    { says: ['Session-Expires: 600'], refresher: 'uas', require: undefined, seconds: 600 },
    { says: ['Supported: timer', 'Session-Expires: 7200'], refresher: 'uac', require: 'timer', seconds: 1800 },
    {
      says: ['Supported: timer', 'Session-Expires: 7200', 'Min-SE: 3600'],
      refresher: 'uac',
      require: 'timer',
      seconds: 3600,
    },
  ] as const;
  for (const { says, refresher, require, seconds } of cases) {
    test(`${says.join(', ') || 'nothing'}: ${seconds}, ${refresher}`, () =>
      withTimer(async ({ stack, peer }) => {
        const { raw, ok } = await begun(stack, peer, says);
        expect(ok.header('Session-Expires')).toBe(`${seconds};refresher=${refresher}`);
        expect(ok.header('Require')).toBe(require);
        raw.request('BYE');
      }));
  }

  test('an interval below the minimum: 422 with Min-SE; without Supported: timer it is not asked back', () =>
    withTimer(async ({ stack, peer }) => {
      const short = peer.dial('me', { headers: ['Supported: timer', 'Session-Expires: 60'] });
      const refused = await peer.expect('422 INVITE');
      expect(refused.header('Min-SE')).toBe('90');
      short.ackFailure(refused);
      const { raw, ok } = await begun(stack, peer, ['Session-Expires: 60']);
      expect(ok.header('Session-Expires')).toBeUndefined();
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('without a policy nothing is said', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, ok, session } = await begun(stack, peer, ['Supported: timer', 'Session-Expires: 600']);
      expect(ok.header('Session-Expires')).toBeUndefined();
      expect(session.snapshot().timer).toBeUndefined();
      raw.request('BYE');
    }));
});

describe('RFC 4028 §7: as the calling side', () => {
  test('§7.1: the INVITE says Supported: timer and the interval, and leaves the roles open', () =>
    withTimer(async ({ stack, peer }) => {
      const { invite, session } = await answered(stack, peer, []);
      expect([invite.header('Supported'), invite.header('Session-Expires'), invite.header('Min-SE')]).toEqual([
        '100rel, timer',
        '1800',
        undefined,
      ]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§7.3: 422: the INVITE again with the longer interval and Min-SE, same Call-ID and tag, CSeq one higher', () =>
    withTimer(async ({ stack, peer, world }) => {
      const outgoing = stack.invite(peer);
      const first = await peer.expect('INVITE');
      peer.respond(first, 422, { toTag: 'x', headers: ['Min-SE: 3600'] });
      const second = await peer.expect((each) => each.method === 'INVITE' && each.cseq === 2);
      expect([second.header('Session-Expires'), second.header('Min-SE')]).toEqual(['3600', '3600']);
      expect([second.callId, second.header('From'), second.body]).toEqual([
        first.callId,
        first.header('From'),
        first.body,
      ]);
      peer.respond(second, 422, { toTag: 'y', headers: ['Min-SE: 4000'] });
      const third = await peer.expect((each) => each.method === 'INVITE' && each.cseq === 3);
      expect(third.header('Session-Expires')).toBe('4000');
      // One that asks for no more than it was given is a refusal like any other.
      peer.respond(third, 422, { toTag: 'z', headers: ['Min-SE: 4000'] });
      await world.until(() => outgoing.failures.length === 1);
      expect(outgoing.answers).toEqual([]);
    }));

  test('§7.2: a 2xx with refresher=uas: the peer refreshes; without Session-Expires we do', () =>
    withTimer(async ({ stack, peer }) => {
      const one = await answered(stack, peer, ['Require: timer', 'Session-Expires: 600;refresher=uas']);
      expect(one.session.snapshot().timer).toEqual({ seconds: 600, refresher: 'peer', agreed: true });
      one.session.end();
      peer.respond(await peer.expect('BYE'), 200);
      const two = await answered(stack, peer, []);
      expect(two.session.snapshot().timer).toEqual({ seconds: 1800, refresher: 'us', agreed: false });
      two.session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§7.2: or nobody does, where the policy says so', () =>
    withTimer(
      async ({ stack, peer }) => {
        const { session } = await answered(stack, peer, []);
        expect(session.snapshot().timer).toBeUndefined();
        session.end();
        peer.respond(await peer.expect('BYE'), 200);
      },
      { always: false },
    ));

  test('§11.1: a peer that grants less than it may is not refreshed all day', () =>
    withTimer(async ({ stack, peer }) => {
      const { session } = await answered(stack, peer, ['Session-Expires: 2;refresher=uac']);
      expect(session.snapshot().timer?.seconds).toBe(90);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));
});

describe('RFC 4028 §10: refreshing', () => {
  test('at half the interval, by UPDATE without an offer where the peer allows it; each 2xx begins anew', () =>
    withTimer(async ({ stack, peer, world }) => {
      const begin = world.clock.now();
      const { raw } = await answered(stack, peer, [UPDATE, 'Require: timer', 'Session-Expires: 600;refresher=uac']);
      for (const round of [1, 2, 3]) {
        await world.advance({ seconds: 290 });
        const update = await peer.expect('UPDATE');
        expect(Math.round((update.at - begin) / 1000)).toBe(300 * round);
        expect([update.body, update.header('Session-Expires')]).toEqual(['', '600;refresher=uac']);
        peer.respond(update, 200, { headers: ['Require: timer', 'Session-Expires: 600;refresher=uac'] });
      }
      raw.request('BYE', { cseq: 9 });
    }));

  test('§7.4: else by a re-INVITE with the same description, o= line and all; also a 405 to UPDATE makes it so', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { raw, invite } = await answered(stack, peer, [UPDATE]);
      await world.advance({ minutes: 14 });
      peer.respond(await peer.expect('UPDATE'), 405);
      const reinvite = await peer.expect('INVITE');
      expect(reinvite.body).toBe(invite.body);
      peer.respond(reinvite, 200, { body: ANSWER });
      await peer.expect('ACK');
      raw.request('BYE', { cseq: 9 });
    }));

  test('any re-INVITE or UPDATE that is accepted refreshes, whoever sent it', () =>
    withTimer(async ({ stack, peer, world }) => {
      const headers = ['Supported: timer', 'Session-Expires: 90;refresher=uac'];
      const { raw, told } = await begun(stack, peer, headers);
      for (let i = 0; i < 4; i++) {
        await world.advance({ seconds: 50 });
        raw.request('UPDATE', { headers });
        expect((await peer.expect('200 UPDATE')).header('Session-Expires')).toBe('90;refresher=uac');
      }
      expect(told.ends).toEqual([]);
      raw.request('BYE');
    }));

  test('the peer does not refresh: BYE 32 s before the end, or a third of the interval; the end says so', () =>
    withTimer(async ({ stack, peer, world }) => {
      for (const [interval, at] of [
        [600, 568],
        [90, 60],
      ] as const) {
        const headers = ['Supported: timer', `Session-Expires: ${interval};refresher=uac`];
        const { told } = await begun(stack, peer, headers);
        const begin = world.clock.now();
        await world.advance({ seconds: at - 5 });
        const bye: WireMessage = await peer.expect('BYE');
        expect(Math.round((bye.at - begin) / 1000)).toBe(at);
        expect(told.ends).toEqual([{ by: 'network', cause: 'expired', reason: [] }]);
        peer.respond(bye, 200);
      }
    }));

  for (const status of [408, 481]) {
    test(`a ${status} to the refresh ends the session`, () =>
      withTimer(async ({ stack, peer, world }) => {
        const { told } = await answered(stack, peer, [UPDATE]);
        await world.advance({ minutes: 14 });
        peer.respond(await peer.expect('UPDATE'), status);
        peer.respond(await peer.expect('BYE'), 200);
        expect(told.ends).toEqual([{ by: 'network', cause: 'gone', reason: [] }]);
      }));
  }

  test('silence ends it too, after 64·T1', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { told } = await answered(stack, peer, [UPDATE]);
      await world.advance({ minutes: 14 });
      const update = await peer.expect('UPDATE');
      const bye = await peer.expect('BYE');
      expect(bye.at - update.at).toBe(32_000);
      expect(told.ends).toMatchObject([{ cause: 'gone' }]);
      peer.respond(bye, 200);
    }));

  test('422 to the refresh: at once again with the longer interval', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { raw } = await answered(stack, peer, [UPDATE, 'Session-Expires: 600;refresher=uac']);
      await world.advance({ seconds: 299 });
      peer.respond(await peer.expect('UPDATE'), 422, { headers: ['Min-SE: 900'] });
      const again = await peer.expect('UPDATE');
      expect([again.header('Session-Expires'), again.header('Min-SE')]).toEqual(['900;refresher=uac', '900']);
      peer.respond(again, 200, { headers: ['Session-Expires: 900;refresher=uac'] });
      raw.request('BYE', { cseq: 9 });
    }));

  test('another refusal is tried again while there is time, and no oftener; then BYE', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { told } = await answered(stack, peer, [UPDATE, 'Session-Expires: 90;refresher=uac']);
      peer.onMessage = (message) => {
        if (message.method === 'UPDATE') peer.respond(message, 503);
      };
      await world.advance({ seconds: 50 });
      const bye = await peer.expect('BYE');
      peer.respond(bye, 200);
      expect(told.ends).toMatchObject([{ cause: 'expired' }]);
      expect(peer.heard.filter((each) => each === 'UPDATE').length).toBeLessThanOrEqual(4);
    }));

  test('a phone that knows no timer and refuses lives: it is asked again an interval later', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { told, raw } = await answered(stack, peer, []);
      for (let i = 0; i < 3; i++) {
        await world.advance({ minutes: 14 });
        peer.respond(await peer.expect('INVITE'), 488);
        await peer.expect('ACK');
      }
      expect(told.ends).toEqual([]);
      raw.request('BYE', { cseq: 9 });
    }));

  test('491 to a re-INVITE that refreshes: again after the wait of RFC 3261 §14.1', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { raw } = await answered(stack, peer, []);
      await world.advance({ minutes: 14 });
      const first = await peer.expect('INVITE');
      peer.respond(first, 491);
      const second = await peer.expect('INVITE');
      expect(second.at - first.at).toBeGreaterThanOrEqual(2100);
      expect(second.at - first.at).toBeLessThanOrEqual(4030);
      peer.respond(second, 200, { body: ANSWER });
      await peer.expect('ACK');
      raw.request('BYE', { cseq: 9 });
    }));

  test('an answer that is new is told', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { raw, session } = await answered(stack, peer, []);
      const told: string[] = [];
      session.handle({ onModify: () => {}, onEnded: () => {}, onAnsweredOtherwise: (answer) => told.push(answer) });
      await world.advance({ minutes: 14 });
      const moved = ANSWER.replace('6002', '6004');
      peer.respond(await peer.expect('INVITE'), 200, { body: moved });
      await peer.expect('ACK');
      await world.advance({ ms: 50 });
      expect(told).toEqual([moved]);
      raw.request('BYE', { cseq: 9 });
    }));
});

describe('after a restart', () => {
  test('the refresher goes on soon; who waits for the peer gives it a whole interval', () =>
    withTimer(async ({ stack, peer, world }) => {
      const { session } = await answered(stack, peer, [UPDATE, 'Session-Expires: 600;refresher=uac']);
      const snapshot = JSON.parse(JSON.stringify(session.snapshot()));
      expect(snapshot.timer).toEqual({ seconds: 600, refresher: 'us', agreed: true });
      session.timer.end();
      const begin = world.clock.now();
      const restored = stack.dialogs.restore(snapshot);
      listen(restored);
      const update = await peer.expect('UPDATE');
      expect(update.at - begin).toBeLessThan(31_000);
      peer.respond(update, 200, { headers: ['Session-Expires: 600;refresher=uas'] });
      await world.advance({ ms: 50 });
      expect(restored.snapshot().timer).toEqual({ seconds: 600, refresher: 'peer', agreed: true });
      restored.timer.restore({ seconds: 600, refresher: 'peer', agreed: true });
      await world.advance({ seconds: 560 });
      expect(restored.ended).toBe(false);
      peer.respond(await peer.expect('BYE'), 200);
    }));
});
