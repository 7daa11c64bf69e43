import { describe, expect, test } from 'vitest';
import { ANSWER, called, established, listen, withStack } from './stack.js';

describe('requests find their dialog (RFC 3261 §12.2.2)', () => {
  test('two dialogs of one Call-ID are told apart by their tags', () =>
    withStack(async ({ stack, peer }) => {
      const one = peer.dial('me', { callId: 'shared' });
      const first = (await stack.nextInvite()).accept({ sdp: ANSWER });
      one.learn(await peer.expect(200));
      one.ack();
      const two = peer.dial('me', { callId: 'shared', cseq: 9 });
      const second = (await stack.nextInvite()).accept({ sdp: ANSWER });
      two.learn(await peer.expect(200));
      two.ack();
      expect(stack.dialogs.size).toBe(2);
      one.request('BYE');
      await peer.expect('200 BYE');
      expect([first?.ended, second?.ended]).toEqual([true, false]);
      two.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('without a To tag nothing is looked for: 481', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      raw.dialog.remote = raw.dialog.remote.replace(/;tag=.*/, '');
      raw.request('BYE');
      await peer.expect('481 BYE');
      expect(session.ended).toBe(false);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('an ACK for nobody is dropped without a word', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      const ok = await peer.expect(200);
      raw.ack();
      raw.dialog.remote = '<sip:me@office.test>;tag=forged';
      raw.ack();
      await world.advance({ ms: 100 });
      expect(peer.heard.filter((each) => !each.startsWith('200'))).toEqual([]);
      raw.learn(ok);
      raw.ack();
      await world.advance({ ms: 100 });
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(session?.ended).toBe(true);
    }));
});

describe('counts', () => {
  test('size is the dialogs that live, pendingInvites the INVITEs that wait, full the limit', () =>
    withStack(
      async ({ world, stack, peer }) => {
        expect([stack.dialogs.size, stack.dialogs.full]).toEqual([0, false]);
        const { raw } = await called(stack, peer);
        expect([stack.dialogs.size, stack.dialogs.full, stack.dialogs.pendingInvites]).toEqual([1, true, 0]);
        const { failures } = stack.invite(peer);
        expect(stack.dialogs.pendingInvites).toBe(1);
        peer.respond(await peer.expect('INVITE'), 486, { toTag: 'x' });
        await world.until(() => failures.length === 1);
        expect(stack.dialogs.pendingInvites).toBe(0);
        raw.request('BYE');
        await peer.expect('200 BYE');
        expect(stack.dialogs.full).toBe(false);
      },
      { maxDialogs: 1 },
    ));

  test('a session that is restored counts, and takes the requests of its dialog', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      const snapshot = session.snapshot();
      raw.request('BYE');
      await peer.expect('200 BYE');
      const told = listen(stack.dialogs.restore(snapshot));
      expect(stack.dialogs.size).toBe(1);
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(told.ends).toMatchObject([{ by: 'remote' }]);
      expect(stack.dialogs.size).toBe(0);
    }));
});

describe('close', () => {
  test('sessions that are left are told that they have ended, also one that waits for its ACK; no timer stays', () =>
    withStack(async ({ world, stack, peer }) => {
      const { told } = await established(stack, peer);
      const raw = peer.dial('me');
      const waiting = (await stack.nextInvite()).accept({ sdp: ANSWER });
      if (waiting === undefined) throw new Error('not open');
      const other = listen(waiting);
      raw.learn(await peer.expect(200));
      waiting.end();
      stack.dialogs.close();
      await world.advance({ ms: 100 });
      expect([told.ends, other.ends]).toMatchObject([[{ by: 'local' }], [{ by: 'local' }]]);
      const before = peer.heard.filter((each) => each === '200 INVITE').length;
      await world.advance({ seconds: 40 });
      expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(before);
    }));
});
