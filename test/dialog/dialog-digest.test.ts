/** Challenges within dialogs, beside one another: RFC 3261 §22. Found by review. */
import { describe, expect, test } from 'vitest';
import type { InviteSession } from '../../src/dialog/invite-session.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { DigestClient } from '../../src/ua/digest-client.js';
import { RawPeer, type WireMessage } from '../support/raw-peer.js';
import { ANSWER, OFFER, type Stack, withStack } from './stack.js';

const credentials = { secretFor: () => ({ username: 'me', password: 'pw' }) };
const challenge = (nonce: string, stale = false): string =>
  `Proxy-Authenticate: Digest realm="r", nonce="${nonce}", qop="auth", algorithm=MD5${stale ? ', stale=true' : ''}`;
const sequences = (messages: readonly WireMessage[]): number[] => [...new Set(messages.map(({ cseq }) => cseq))];

/** A call through a peer that has challenged its INVITE with the nonce "one". */
async function up({ stack, peer }: { readonly stack: Stack; readonly peer: RawPeer }): Promise<InviteSession> {
  const { answers } = stack.invite(peer, { credentials });
  peer.respond(await peer.expect('INVITE'), 407, { toTag: 'x', headers: [challenge('one')] });
  await peer.expect('ACK');
  peer.take(await peer.expect('INVITE')).respond(200, { body: ANSWER });
  await peer.expect('ACK');
  await stack.world.until(() => answers.length === 1);
  return answers[0]?.session ?? expect.fail('no session');
}

describe('RFC 3261 §22.1: what one request is refused says nothing about another', () => {
  test('407, then 422, then 407 with a new nonce to the INVITE that asks for longer', () =>
    withStack(
      async ({ world, stack, peer }) => {
        const { failures } = stack.invite(peer, { credentials });
        peer.respond(await peer.expect('INVITE'), 407, { toTag: 'x', headers: [challenge('one')] });
        await peer.expect('ACK');
        peer.respond(await peer.expect('INVITE'), 422, { toTag: 'y', headers: ['Min-SE: 3600'] });
        await peer.expect('ACK');
        peer.respond(await peer.expect('INVITE'), 407, { toTag: 'z', headers: [challenge('two')] });
        await peer.expect('ACK');
        const last = await peer.expect('INVITE');
        expect([last.cseq, last.header('Proxy-Authorization'), failures]).toEqual([
          4,
          expect.stringContaining('"two"'),
          [],
        ]);
        peer.respond(last, 486, { toTag: 'q' });
        await world.until(() => failures.length === 1);
      },
      { sessionTimer: { seconds: 1800, minSeconds: 90, always: true } },
    ));

  test('a re-INVITE that is challenged and refused: the BYE answers a challenge all the same', () =>
    withStack(async ({ stack, peer }) => {
      const session = await up({ stack, peer });
      const modified = session.modify({ sdp: OFFER });
      peer.respond(await peer.expect('INVITE'), 407, { headers: [challenge('two')] });
      await peer.expect('ACK');
      peer.respond(await peer.expect('INVITE'), 488);
      await peer.expect('ACK');
      await modified;
      session.end();
      peer.respond(await peer.expect('BYE'), 407, { headers: [challenge('three')] });
      const again = await peer.expect('BYE');
      expect(again.header('Proxy-Authorization')).toContain('"three"');
      peer.respond(again, 200);
    }));

  test('two INVITEs by one digest, both challenged', () =>
    withStack(async ({ world, stack, peer }) => {
      const digest = new DigestClient({ credentials, random: new SeededRandom(1) });
      const target = { uri: parseUri(peer.uri), policy: { peer: 'trunk' as const }, digest };
      const calls = [stack.invite(peer, { target }), stack.invite(peer, { target })];
      for (const nonce of ['one', 'two'])
        peer.respond(await peer.expect('INVITE'), 407, { toTag: nonce, headers: [challenge(nonce)] });
      await world.advance({ ms: 20 });
      const retried = peer.received.filter(({ method, cseq }) => method === 'INVITE' && cseq === 2);
      expect(new Set(retried.map(({ callId }) => callId)).size).toBe(2);
      for (const each of retried) peer.respond(each, 486, { toTag: 'z' });
      await world.until(() => calls.every(({ failures }) => failures.length === 1));
    }));
});

describe('RFC 3261 §12.2.1.1: no CSeq number is given out twice', () => {
  test('three INFOs under way, all challenged as stale', () =>
    withStack(async ({ world, stack, peer }) => {
      const session = await up({ stack, peer });
      const results = [1, 2, 3].map(() => session.request('INFO'));
      for (let i = 0; i < 3; i++) peer.respond(await peer.expect('INFO'), 407, { headers: [challenge('two', true)] });
      for (let i = 0; i < 3; i++) peer.respond(await peer.expect('INFO'), 200);
      expect((await world.run(() => Promise.all(results))).map(({ kind }) => kind)).toEqual([
        'response',
        'response',
        'response',
      ]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
      expect(sequences(peer.received.filter(({ method }) => method === 'INFO' || method === 'BYE'))).toEqual([
        3, 4, 5, 6, 7, 8, 9,
      ]);
    }));

  test('INFO and BYE under way, both challenged: the BYE is sent again, and nothing else after it (RFC 3261 §15.1.1)', () =>
    withStack(async ({ world, stack, peer }) => {
      const session = await up({ stack, peer });
      void session.request('INFO');
      session.end();
      peer.respond(await peer.expect('INFO'), 407, { headers: [challenge('two')] });
      peer.respond(await peer.expect('BYE'), 407, { headers: [challenge('three')] });
      peer.respond(await peer.expect('BYE'), 200);
      await world.advance({ ms: 10 });
      const asked = peer.received.filter(({ method }) => method === 'INFO' || method === 'BYE');
      expect(asked.map(({ method, cseq }) => `${method} ${cseq}`)).toEqual(['INFO 3', 'BYE 4', 'BYE 5']);
    }));
});

test('credentials are not shown unasked to a Contact elsewhere', () =>
  withStack(async ({ world, stack, peer }) => {
    const other = await RawPeer.open(world, { name: 'other', address: '10.1.0.2' });
    const { answers } = stack.invite(peer, { credentials });
    peer.respond(await peer.expect('INVITE'), 407, { toTag: 'x', headers: [challenge('one')] });
    await peer.expect('ACK');
    peer.take(await peer.expect('INVITE')).respond(200, { body: ANSWER, contact: '<sip:elsewhere@10.1.0.2>' });
    await world.until(() => answers.length === 1);
    answers[0]?.session.end();
    const bye = await other.expect('BYE');
    other.respond(bye, 200);
    expect(bye.header('Proxy-Authorization')).toBeUndefined();
  }));
