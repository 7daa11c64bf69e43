/** RFC 3261 §15.1: when a dialog is over, what was refused or lost in it is not sent again by another way. */
import { expect, test } from 'vitest';
import type { InviteSession } from '../../src/dialog/invite-session.js';
import type { RawCall, RawPeer, WireMessage } from '../support/raw-peer.js';
import { ANSWER, OFFER, type Stack, withStack } from './stack.js';

const credentials = { secretFor: () => ({ username: 'me', password: 'pw' }) };
const challenge = 'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5';
const CHALLENGED = { headers: [challenge] };

interface Up {
  readonly session: InviteSession;
  readonly raw: RawCall;
}

/** A call to a peer that has not challenged anything yet, and whose challenges can be answered. */
async function up(stack: Stack, peer: RawPeer): Promise<Up> {
  const { answers } = stack.invite(peer, { credentials });
  const raw = peer.take(await peer.expect('INVITE'));
  raw.respond(200, { body: ANSWER, headers: ['Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO'] });
  await peer.expect('ACK');
  await stack.world.until(() => answers.length === 1);
  return { raw, session: answers[0]?.session ?? expect.fail('no session') };
}

/** Every request that has reached the peer, repetitions left out. */
function asked(peer: RawPeer): string[] {
  const requests = peer.received.filter(({ method }) => method !== undefined);
  return [...new Set(requests.map(({ method, cseq }: WireMessage) => `${method} ${cseq}`))];
}

test('§15.1.2: a BYE that is challenged when the peer has hung up itself', () =>
  withStack(async ({ world, stack, peer }) => {
    const { raw, session } = await up(stack, peer);
    session.end();
    const bye = await peer.expect('BYE');
    raw.request('BYE');
    await peer.expect('200 BYE');
    peer.respond(bye, 407, CHALLENGED);
    await world.advance({ seconds: 1 });
    expect(asked(peer).slice(2)).toEqual(['BYE 2']);
    expect(stack.dialogs.size).toBe(0);
  }));

test('§15.1.2: and goes on as it is, until it is answered', () =>
  withStack(async ({ world, stack, peer }) => {
    const { raw, session } = await up(stack, peer);
    session.end();
    const bye = await peer.expect('BYE');
    raw.request('BYE');
    await peer.expect('200 BYE');
    await world.advance({ seconds: 2 });
    expect(peer.received.filter(({ text }) => text === bye.text).length).toBeGreaterThan(2);
    peer.respond(bye, 200);
    await world.advance({ ms: 50 });
    expect(stack.dialogs.size).toBe(0);
  }));

const requests: readonly [string, (session: InviteSession) => Promise<unknown>][] = [
  ['INFO', (session) => session.request('INFO')],
  ['OPTIONS', (session) => session.probe()],
  ['UPDATE', (session) => session.modify({ sdp: OFFER, method: 'UPDATE' })],
  ['INVITE', (session) => session.modify({ sdp: OFFER })],
];
for (const [method, send] of requests) {
  test(`§15.1.2: ${method} that is challenged after the BYE of the peer`, () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session } = await up(stack, peer);
      const result = send(session);
      const first = await peer.expect(method);
      raw.request('BYE');
      await peer.expect('200 BYE');
      peer.respond(first, 407, CHALLENGED);
      await world.run(() => result);
      await world.advance({ seconds: 1 });
      const acknowledged = method === 'INVITE' ? ['ACK 2'] : [];
      expect(asked(peer).slice(2)).toEqual([`${method} 2`, ...acknowledged]);
    }));

  test(`§15.1.1: ${method} that is challenged after our BYE`, () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await up(stack, peer);
      const result = send(session);
      const first = await peer.expect(method);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
      peer.respond(first, 407, CHALLENGED);
      await world.run(() => result);
      await world.advance({ seconds: 1 });
      const acknowledged = method === 'INVITE' ? ['ACK 2'] : [];
      expect(asked(peer).slice(2)).toEqual([`${method} 2`, 'BYE 3', ...acknowledged]);
    }));
}

test('RFC 3262 §3: a PRACK that is challenged when the INVITE has failed', () =>
  withStack(async ({ world, stack, peer }) => {
    const { failures } = stack.invite(peer, { credentials });
    const raw = peer.take(await peer.expect('INVITE'));
    raw.respond(183, { headers: ['Require: 100rel', 'RSeq: 1'] });
    const prack = await peer.expect('PRACK');
    raw.respond(486);
    await world.until(() => failures.length === 1);
    peer.respond(prack, 407, CHALLENGED);
    await world.advance({ seconds: 1 });
    expect(asked(peer)).toEqual(['INVITE 1', 'PRACK 2', 'ACK 1']);
  }));

test('§9.1: of an answer that nobody wants, the BYE is not sent again to a peer that has hung up itself', () =>
  withStack(async ({ world, stack, peer }) => {
    const { invite } = stack.invite(peer, { credentials });
    const raw = peer.take(await peer.expect('INVITE'));
    invite.cancel();
    raw.respond(200, { body: ANSWER });
    const bye = await peer.expect('BYE');
    raw.request('INFO');
    await peer.expect('481 INFO');
    raw.request('BYE');
    await peer.expect('200 BYE');
    raw.request('BYE', { cseq: 1 });
    await peer.expect('500 BYE');
    peer.respond(bye, 407, CHALLENGED);
    await world.advance({ seconds: 1 });
    expect(asked(peer)).toEqual(['INVITE 1', 'ACK 1', 'BYE 2']);
    expect(stack.dialogs.size).toBe(0);
  }));

test('§13.2.2.4: whoever hung up and then accepts a re-INVITE late gets its ACK, and no BYE', () =>
  withStack(async ({ world, stack, peer }) => {
    const { raw, session } = await up(stack, peer);
    void session.modify({ sdp: OFFER });
    const again = await peer.expect('INVITE');
    session.end();
    const bye = await peer.expect('BYE');
    raw.request('BYE');
    await peer.expect('200 BYE');
    await world.advance({ seconds: 1 });
    peer.respond(bye, 200);
    // Longer than the transaction of the re-INVITE, and not too long after the dialog.
    await world.advance({ ms: 31_100 });
    peer.respond(again, 200, { body: ANSWER });
    await peer.expect('ACK');
    await world.advance({ seconds: 1 });
    expect(asked(peer).filter((each) => each.startsWith('BYE'))).toEqual(['BYE 3']);
  }));
