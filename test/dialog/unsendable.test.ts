/** What cannot be written fails alone: RFC 3261 §8.1.3.1 has a request that cannot be sent end like one without an answer. */
import { describe, expect, test } from 'vitest';
import type { RawPeer } from '../support/raw-peer.js';
import { ANSWER, called, established, listen, OFFER, type Stack, withStack } from './stack.js';

/** More than the 72 KiB that a head may take. */
const HUGE = 'x'.repeat(75_000);
/** Fits into a datagram; each address becomes a Route line of its own, and those do not fit into a head. */
const MANY_ROUTES = Array.from({ length: 8 }, () => `Record-Route: ${'<sip:a>,'.repeat(999)}<sip:a>`);

/** A session that goes the usual way: the stack still serves. */
async function stillServes(stack: Stack, peer: RawPeer): Promise<void> {
  peer.skip();
  const { session, told } = await called(stack, peer);
  session.end();
  peer.respond(await peer.expect('BYE'), 200);
  expect(told.ends).toHaveLength(1);
}

const values = [
  ['with a line break', 'a\r\nX-Evil: yes'],
  ['of 75,000 characters', HUGE],
] as const;

describe('a request that cannot be written fails, and nothing else (RFC 3261 §8.1.3.1)', () => {
  test.each(values)('INVITE, by a header %s: told as unreachable, not thrown', (_what, value) =>
    withStack(async ({ world, stack, peer }) => {
      const { failures } = stack.invite(peer, { headers: { Subject: value } });
      await world.until(() => failures.length > 0);
      expect(failures).toMatchObject([{ kind: 'unreachable' }]);
      expect(peer.heard).toEqual([]);
      await stillServes(stack, peer);
    }),
  );

  test('INVITE by a flow: told later all the same, never from within the call that sends it', () =>
    withStack(async ({ world, stack, peer }) => {
      const flow = {
        protocol: 'udp',
        local: { address: '192.0.2.1', port: 5060 },
        remote: { address: peer.address, port: peer.port },
      } as const;
      const { failures } = stack.invite(peer, { flow, headers: { Subject: HUGE } });
      expect(failures).toEqual([]);
      await world.advance({ ms: 1 });
      expect(failures).toMatchObject([{ kind: 'unreachable' }]);
      await stillServes(stack, peer);
    }));

  test('BYE, by a header of 75,000 characters: the session ends here', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      session.end({ Reason: HUGE });
      await world.advance({ seconds: 1 });
      expect(told.ends).toMatchObject([{ by: 'local' }]);
      expect(peer.heard).not.toContain('BYE');
      expect(stack.dialogs.size).toBe(0);
      await stillServes(stack, peer);
    }));

  test('BYE, by a header with a line break: the program is told of its mistake, the session goes on', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      expect(() => session.end({ Reason: 'a\r\nX-Evil: yes' })).toThrow(
        expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
      );
      expect(told.ends).toEqual([]);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test.each(values)('CANCEL, by a header %s: the INVITE is given up at 64·T1 (§9.1)', (_what, value) =>
    withStack(async ({ world, stack, peer }) => {
      const { invite, failures } = stack.invite(peer);
      peer.respond(await peer.expect('INVITE'), 180, { toTag: 'r' });
      await world.advance({ ms: 20 });
      invite.cancel({ Reason: value });
      await world.until(() => failures.length > 0);
      expect(peer.heard).not.toContain('CANCEL');
      await stillServes(stack, peer);
    }),
  );

  test('ACK and BYE, by a route set that does not fit: the session stands, and ends here', () =>
    withStack(async ({ world, stack, peer }) => {
      const outgoing = stack.invite(peer);
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(200, { headers: MANY_ROUTES, body: ANSWER });
      await world.until(() => outgoing.answers.length === 1);
      const session = outgoing.answers[0]?.session;
      if (session === undefined) throw new Error('no session');
      const told = listen(session);
      await world.advance({ seconds: 1 });
      expect(peer.heard).not.toContain('ACK');
      session.end();
      await world.advance({ seconds: 1 });
      expect(told.ends).toMatchObject([{ by: 'local' }]);
      expect(stack.dialogs.size).toBe(0);
      await stillServes(stack, peer);
    }));

  test('re-INVITE, by the same: rejected, the session goes on', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me', { headers: MANY_ROUTES });
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      raw.learn(await peer.expect('200 INVITE'));
      raw.ack();
      await world.advance({ ms: 50 });
      const result = await world.run(() => session.modify({ sdp: OFFER }));
      expect(result.kind).toBe('rejected');
      expect(peer.heard).not.toContain('INVITE');
      expect([told.ends, session.negotiating]).toEqual([[], false]);
      raw.request('BYE');
      await peer.expect('200 BYE');
      await stillServes(stack, peer);
    }));

  test('a session under way does not notice', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      stack.invite(peer, { headers: { Subject: HUGE } });
      await world.advance({ seconds: 1 });
      raw.request('OPTIONS');
      await peer.expect('200 OPTIONS');
      expect(told.ends).toEqual([]);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));
});
