/** The callee's side of RFC 3262, against a scripted caller. */
import { describe, expect, test } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { type RawCall, type RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { ANSWER, listen, OFFER, withStack } from './stack.js';

const SUPPORTED = { headers: ['Supported: 100rel'] };
const REQUIRED = { headers: ['Require: 100rel'] };

function prack(raw: RawCall, response: WireMessage, fields: { readonly body?: string; readonly rack?: string } = {}) {
  const rack = fields.rack ?? `${response.header('RSeq')} ${response.cseq} INVITE`;
  raw.request('PRACK', {
    headers: [`RAck: ${rack}`],
    contact: '',
    ...(fields.body === undefined ? {} : { body: fields.body }),
  });
}

/** Answers, lets the caller acknowledge, and hangs up. */
async function finish(raw: RawCall, peer: RawPeer): Promise<void> {
  raw.learn(await peer.expect('200 INVITE'));
  raw.ack({ cseq: 1 });
  raw.request('BYE');
  await peer.expect('200 BYE');
}

describe('RFC 3262 §3: a reliable provisional response', () => {
  test('has Require and RSeq, is repeated at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, and the INVITE gets 504 at 64·T1', () =>
    withStack(async ({ stack, peer, world }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      const abandoned: string[] = [];
      invite.onAbandoned(({ cause }) => abandoned.push(cause));
      invite.progress({ status: 183, sdp: ANSWER });
      const first = await peer.expect('183 INVITE');
      expect(first.header('Require')).toBe('100rel');
      expect(Number(first.header('RSeq'))).toBeGreaterThan(0);
      expect(Number(first.header('RSeq'))).toBeLessThan(2 ** 31);
      const refused = await peer.expect('504 INVITE');
      const all = peer.received.filter((each) => each.status === 183);
      expect(all.map((each) => each.at - first.at)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
      expect(new Set(all.map((each) => each.text)).size).toBe(1);
      expect(refused.at - first.at).toBe(32_000);
      raw.ackFailure(refused);
      await world.advance({ seconds: 1 });
      expect([abandoned, invite.open]).toEqual([['no-prack'], false]);
    }));

  test('its PRACK is answered 200 and stops it', () =>
    withStack(async ({ stack, peer, world }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      const response = await peer.expect('183 INVITE');
      raw.learn(response);
      expect(invite.acceptable()).toBe(false);
      prack(raw, response);
      await peer.expect('200 PRACK');
      expect(invite.acceptable()).toBe(true);
      await world.advance({ seconds: 40 });
      expect(peer.heard.filter((each) => each === '183 INVITE')).toHaveLength(1);
      const session = invite.accept({ sdp: ANSWER });
      expect(session).toBeDefined();
      await finish(raw, peer);
    }));

  test('a PRACK that names nothing that waits gets 481, one without RAck 400; the response is repeated on', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      const response = await peer.expect('183 INVITE');
      raw.learn(response);
      const rseq = Number(response.header('RSeq'));
      for (const rack of [`${rseq + 1} 1 INVITE`, `${rseq} 2 INVITE`, `${rseq} 1 UPDATE`]) {
        prack(raw, response, { rack });
        await peer.expect('481 PRACK');
      }
      raw.request('PRACK', { contact: '' });
      await peer.expect('400 PRACK');
      await peer.expect('183 INVITE');
      prack(raw, response);
      await peer.expect('200 PRACK');
      prack(raw, response);
      await peer.expect('481 PRACK');
      invite.reject({ status: 486 });
      raw.ackFailure(await peer.expect('486 INVITE'));
    }));

  test('the next one is held back until the first is acknowledged, and its number is one higher', () =>
    withStack(async ({ stack, peer, world }) => {
      const raw = peer.dial('me', REQUIRED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 180 });
      invite.progress({ status: 181 });
      invite.progress({ status: 182 });
      const first = await peer.expect('180 INVITE');
      await world.advance({ ms: 300 });
      expect(peer.heard).not.toContain('181 INVITE');
      raw.learn(first);
      prack(raw, first);
      const second = await peer.expect('181 INVITE');
      prack(raw, second);
      const third = await peer.expect('182 INVITE');
      prack(raw, third);
      await peer.expect('200 PRACK');
      const numbers = [first, second, third].map((each) => Number(each.header('RSeq')));
      expect(numbers.map((each) => each - (numbers[0] as number))).toEqual([0, 1, 2]);
      invite.reject({ status: 486 });
      raw.ackFailure(await peer.expect('486 INVITE'));
    }));

  test('the 2xx waits for the PRACK of one that carried a description, not of any other (§3)', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me', REQUIRED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      expect(() => invite.accept({ sdp: ANSWER })).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
      const settled = invite.settled();
      const response = await peer.expect('183 INVITE');
      raw.learn(response);
      prack(raw, response);
      expect(await stack.world.run(() => settled)).toBe(true);
      invite.progress({ status: 180 });
      const ringing = await peer.expect('180 INVITE');
      expect(ringing.body).toBe('');
      const session = invite.accept({ sdp: ANSWER });
      const told = session === undefined ? undefined : listen(session);
      const ok = await peer.expect('200 INVITE');
      // RFC 6337 §3.1.1: what was agreed is not said again.
      expect(ok.body).toBe('');
      expect(butOrigin(session?.agreed?.local)).toBe(butOrigin(ANSWER));
      // The PRACK of the 180 was on its way: it is still served.
      prack(raw, ringing);
      await peer.expect((each) => each.status === 200 && each.cseqMethod === 'PRACK' && each.cseq === 3);
      raw.ack({ cseq: 1 });
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(told?.ends).toHaveLength(1);
    }));

  test('a PRACK that crosses a final failure still gets 200 (§3)', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me', REQUIRED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 180 });
      const ringing = await peer.expect('180 INVITE');
      raw.learn(ringing);
      invite.reject({ status: 486 });
      prack(raw, ringing);
      const refused = await peer.expect('486 INVITE');
      await peer.expect('200 PRACK');
      raw.ackFailure(refused);
    }));

  test('CANCEL while it waits: 487, nothing is repeated any more', () =>
    withStack(async ({ stack, peer, world }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      const settled = invite.settled();
      await peer.expect('183 INVITE');
      raw.cancel();
      raw.ackFailure(await peer.expect('487 INVITE'));
      expect(await world.run(() => settled)).toBe(false);
      await world.advance({ seconds: 5 });
      expect(peer.heard.filter((each) => each === '183 INVITE')).toHaveLength(1);
    }));

  test('each To tag counts for itself, as behind a forking proxy (§4)', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      invite.progress({ status: 183, sdp: ANSWER });
      invite.progress({ status: 183, sdp: OFFER.replace('6000', '6100'), branch: 'b' });
      const first = await peer.expect('183 INVITE');
      const second = await peer.expect('183 INVITE');
      expect(first.header('To')).not.toBe(second.header('To'));
      for (const response of [second, first]) {
        raw.learn(response);
        prack(raw, response);
        await peer.expect('200 PRACK');
      }
      invite.reject({ status: 486 });
      raw.ackFailure(await peer.expect('486 INVITE'));
    }));
});

describe('which ones are reliable', () => {
  const cases = [
    { policy: 'required', caller: SUPPORTED, sdp: false, reliable: false },
    { policy: 'required', caller: SUPPORTED, sdp: true, reliable: false },
    { policy: 'required', caller: REQUIRED, sdp: false, reliable: true },
    { policy: 'sdp', caller: SUPPORTED, sdp: false, reliable: false },
    { policy: 'sdp', caller: SUPPORTED, sdp: true, reliable: true },
    { policy: 'sdp', caller: REQUIRED, sdp: false, reliable: true },
    { policy: 'always', caller: SUPPORTED, sdp: false, reliable: true },
    { policy: 'always', caller: { headers: [] }, sdp: true, reliable: false },
  ] as const;
  for (const { policy, caller, sdp, reliable } of cases) {
    const who = caller.headers[0] ?? 'nothing of 100rel';
    test(`RFC 3262 §3: ${policy}, caller says ${who}, ${sdp ? 'with' : 'without'} SDP: ${reliable}`, () =>
      withStack(
        async ({ stack, peer }) => {
          const raw = peer.dial('me', caller);
          const invite = await stack.nextInvite();
          invite.progress(sdp ? { status: 183, sdp: ANSWER } : { status: 183 });
          const response = await peer.expect('183 INVITE');
          expect(response.header('RSeq') !== undefined).toBe(reliable);
          expect(response.body !== '').toBe(sdp);
          invite.reject({ status: 486 });
          raw.ackFailure(await peer.expect('486 INVITE'));
        },
        { reliableProvisionals: policy },
      ));
  }
});

describe('RFC 3262 §5: offer and answer', () => {
  test('an INVITE without offer: the offer in the 183, the answer in the PRACK, nothing in 200 and ACK', () =>
    withStack(async ({ stack, peer, world }) => {
      const raw = peer.dial('me', { ...SUPPORTED, body: '' });
      const invite = await stack.nextInvite();
      const answers: (string | undefined)[] = [];
      const early = invite.progress({ status: 183, sdp: OFFER });
      early?.handle({ onModify: (modify) => modify.reject(488), onAcknowledged: (sdp) => answers.push(sdp) });
      const response = await peer.expect('183 INVITE');
      expect(butOrigin(response.body)).toBe(butOrigin(OFFER));
      raw.learn(response);
      prack(raw, response, { body: rawSdp() });
      await peer.expect('200 PRACK');
      expect(answers).toEqual([rawSdp()]);
      const session = invite.accept({ sdp: OFFER });
      expect((await peer.expect('200 INVITE')).body).toBe('');
      raw.ack({ cseq: 1 });
      await world.advance({ ms: 50 });
      expect(session?.negotiating).toBe(false);
      expect(session?.agreed?.remote).toBe(rawSdp());
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('without offer and without 100rel a description is left out; a required one that makes no offer is not sent', () =>
    withStack(async ({ stack, peer, world }) => {
      const plain = peer.dial('me', { body: '' });
      const first = await stack.nextInvite();
      first.progress({ status: 183, sdp: OFFER });
      const response = await peer.expect('183 INVITE');
      expect([response.body, response.header('RSeq')]).toEqual(['', undefined]);
      first.reject({ status: 486 });
      plain.ackFailure(await peer.expect('486 INVITE'));
      const strict = peer.dial('me', { ...REQUIRED, body: '' });
      const second = await stack.nextInvite();
      expect(second.progress({ status: 180 })).toBeUndefined();
      await world.advance({ ms: 100 });
      expect(peer.heard).not.toContain('180 INVITE');
      second.reject({ status: 486 });
      strict.ackFailure(await peer.expect('486 INVITE'));
    }));

  test('an offer in the PRACK is answered in its 200; refused, the response stays unacknowledged (RFC 6337 §2.3)', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me', SUPPORTED);
      const invite = await stack.nextInvite();
      const early = invite.progress({ status: 183, sdp: ANSWER });
      const response = await peer.expect('183 INVITE');
      raw.learn(response);
      prack(raw, response, { body: rawSdp('10.1.0.1', 4100, 2) });
      await peer.expect('488 PRACK');
      expect(invite.acceptable()).toBe(false);
      early?.handle({ onModify: (modify) => void modify.accept(OFFER.replace('6000', '6200')) });
      prack(raw, response, { body: rawSdp('10.1.0.1', 4100, 2) });
      const ok = await peer.expect('200 PRACK');
      expect(ok.body).toContain('m=audio 6200');
      const session = invite.accept({ sdp: undefined });
      expect(session?.agreed?.remote).toBe(rawSdp('10.1.0.1', 4100, 2));
      await finish(raw, peer);
    }));
});
