import { describe, expect, test } from 'vitest';
import type { IncomingModify } from '../../src/dialog/incoming-modify.js';
import { butOrigin } from '../support/but-origin.js';
import { ANSWER, established, OFFER, withStack } from './stack.js';

type Parts = Parameters<Parameters<typeof withStack>[0]>[0];

async function asked({ world, stack, peer }: Parts, body = OFFER) {
  const { raw, session, told } = await established(stack, peer);
  raw.invite({ body });
  await world.until(() => told.modifies.length === 1);
  return { raw, session, told, modify: told.modifies[0] as IncomingModify };
}

describe('a re-INVITE that comes in (RFC 3261 §14.2)', () => {
  test('the 200 has the answer and our Contact', () =>
    withStack(async (parts) => {
      const { raw, modify } = await asked(parts);
      void modify.accept(ANSWER);
      const ok = await parts.peer.expect('200 INVITE');
      expect([butOrigin(ok.body), ok.header('Contact')]).toEqual([butOrigin(ANSWER), '<sip:me@192.0.2.1:5060>']);
      raw.ack();
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
    }));

  test('without an offer: ours goes out in the 200, the answer comes back in the ACK', () =>
    withStack(async (parts) => {
      const { raw, modify } = await asked(parts, '');
      expect(modify.sdp).toBeUndefined();
      const answer = modify.accept(OFFER);
      await parts.peer.expect('200 INVITE');
      raw.ack({ body: ANSWER });
      expect(await parts.world.run(() => answer)).toBe(ANSWER);
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
    }));

  test('an owner that throws costs this re-INVITE: 500, the next one is asked again, and the session can end', () =>
    withStack(async (parts) => {
      const { raw, session, modify } = await asked(parts);
      modify.reject(488);
      raw.ackFailure(await parts.peer.expect('488 INVITE'));
      let count = 0;
      session.handle({
        onEnded: () => {},
        onModify: () => {
          count++;
          throw new Error('found by the fuzzer');
        },
      });
      for (let i = 1; i <= 2; i++) {
        raw.invite({ body: OFFER });
        raw.ackFailure(await parts.peer.expect('500 INVITE'));
        expect([count, session.negotiating]).toEqual([i, false]);
      }
      session.end();
      parts.peer.respond(await parts.peer.expect('BYE'), 200);
    }));

  test('§14.2: refused with the status and reason that are given, once', () =>
    withStack(async (parts) => {
      const { raw, modify, told } = await asked(parts);
      modify.reject(488, 'No Video Here');
      modify.reject(500);
      const refused = await parts.peer.expect('488 INVITE');
      expect(refused.text).toContain('488 No Video Here');
      raw.ackFailure(refused);
      expect(() => modify.accept(ANSWER)).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
      raw.invite({ body: OFFER });
      await parts.world.until(() => told.modifies.length === 2);
      told.modifies[1]?.reject(488);
      raw.ackFailure(await parts.peer.expect('488 INVITE'));
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
    }));

  test('§9.2: CANCEL gets 200, the re-INVITE 487, the signal fires and the session goes on', () =>
    withStack(async (parts) => {
      const { raw, modify, told, session } = await asked(parts);
      raw.cancel();
      await parts.peer.expect('200 CANCEL');
      raw.ackFailure(await parts.peer.expect('487 INVITE'));
      expect(modify.signal.aborted).toBe(true);
      expect(await modify.accept(ANSWER)).toBeUndefined();
      expect([told.ends, session.negotiating]).toEqual([[], false]);
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
    }));

  test('BYE while it waits: 487 to it, 200 to the BYE, the signal fires', () =>
    withStack(async (parts) => {
      const { raw, modify } = await asked(parts);
      raw.request('BYE');
      await parts.peer.expect('200 BYE');
      raw.ackFailure(await parts.peer.expect('487 INVITE'));
      expect(modify.signal.aborted).toBe(true);
    }));

  test('BYE after our 200 with an offer, before the ACK: nobody waits for the answer any more', () =>
    withStack(async (parts) => {
      const { raw, modify } = await asked(parts, '');
      const answer = modify.accept(OFFER);
      await parts.peer.expect('200 INVITE');
      raw.request('BYE');
      expect(await parts.world.run(() => answer)).toBeUndefined();
    }));
});
