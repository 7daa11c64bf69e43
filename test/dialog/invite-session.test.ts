import { describe, expect, test } from 'vitest';
import type { SessionSnapshot } from '../../src/dialog/invite-session.js';
import { butOrigin } from '../support/but-origin.js';
import { rawSdp, tagIn } from '../support/raw-peer.js';
import { ANSWER, called, established, listen, OFFER, withStack } from './stack.js';

describe('2xx until the ACK (RFC 3261 §13.3.1.4)', () => {
  test('is repeated after 0.5, 1.5, 3.5, 7.5, … s, the same bytes; at 64·T1 the session ends with BYE', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      const session = invite.accept({ sdp: ANSWER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      const first = await peer.expect('200 INVITE');
      raw.learn(first);
      const bye = await peer.expect('BYE');
      const successes = peer.received.filter((each) => each.status === 200);
      expect(successes.map((each) => each.at - first.at)).toEqual([
        0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
      ]);
      expect(new Set(successes.map((each) => each.text)).size).toBe(1);
      expect(bye.at - first.at).toBe(32_000);
      expect(told.ends).toEqual([{ by: 'network', cause: 'no-ack', reason: [] }]);
      peer.respond(bye, 200);
      await world.advance({ seconds: 1 });
    }));

  test('the ACK stops it', () =>
    withStack(async ({ world, stack, peer }) => {
      const { told, session } = await established(stack, peer);
      await world.advance({ seconds: 40 });
      expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(1);
      expect(told.ends).toEqual([]);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('an ACK with another CSeq number stops nothing', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me', { cseq: 5 });
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      raw.learn(await peer.expect('200 INVITE'));
      raw.ack({ cseq: 4 });
      await world.advance({ ms: 600 });
      expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(2);
      raw.ack({ cseq: 5 });
      await world.advance({ seconds: 10 });
      expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(2);
      session?.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));
});

describe('BYE (RFC 3261 §15)', () => {
  test('§15.1.1: a callee does not send it before the ACK has come', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      raw.learn(await peer.expect('200 INVITE'));
      session.end({ Reason: 'SIP;cause=200;text="later"' });
      await world.advance({ seconds: 3 });
      expect(peer.heard).not.toContain('BYE');
      expect(told.ends).toEqual([]);
      raw.ack();
      const bye = await peer.expect('BYE');
      expect(bye.header('Reason')).toBe('SIP;cause=200;text="later"');
      expect(told.ends).toEqual([{ by: 'local', cause: 'bye', reason: [] }]);
      peer.respond(bye, 200);
    }));

  test('§15.1.1: whoever waits for the ACK of a re-INVITE is told that nothing comes of it', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      const answers: (string | undefined)[] = [];
      session.handle({
        onModify: (modify) => void modify.accept(OFFER).then((answer) => answers.push(answer)),
        onEnded: () => {},
      });
      raw.invite();
      await peer.expect('200 INVITE');
      session.end();
      raw.ack({ body: ANSWER });
      peer.respond(await peer.expect('BYE'), 200);
      await world.advance({ ms: 10 });
      expect(answers).toEqual([undefined]);
    }));

  test('§15.1.1: and when the ACK never comes, it leaves at 64·T1 with the headers that were asked for', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      const ok = await peer.expect('200 INVITE');
      raw.learn(ok);
      session?.end({ Reason: 'Q.850;cause=16' });
      const bye = await peer.expect('BYE');
      expect(bye.at - ok.at).toBe(32_000);
      expect(bye.header('Reason')).toBe('Q.850;cause=16');
      peer.respond(bye, 200);
    }));

  test('§15.1.2: that of the other side is answered 200, its Reason is told (RFC 3326)', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, told, session } = await established(stack, peer);
      raw.request('BYE', { headers: ['Reason: Q.850;cause=16', 'Reason: SIP;cause=200'] });
      await peer.expect('200 BYE');
      expect(told.ends).toEqual([{ by: 'remote', cause: 'bye', reason: ['Q.850;cause=16', 'SIP;cause=200'] }]);
      expect(session.ended).toBe(true);
      expect(stack.dialogs.size).toBe(0);
    }));

  test('§15.1.2: one for a dialog that is over gets 481', () =>
    withStack(async ({ stack, peer }) => {
      const { raw } = await established(stack, peer);
      raw.request('BYE');
      await peer.expect('200 BYE');
      raw.request('BYE');
      await peer.expect('481 BYE');
    }));

  test('ending twice sends one BYE', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      session.end();
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
      await world.advance({ seconds: 5 });
      expect(peer.heard.filter((each) => each === 'BYE')).toHaveLength(1);
      expect(told.ends).toHaveLength(1);
    }));

  test('an end that came before anybody listened is told to who comes', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(listen(session).ends).toMatchObject([{ by: 'remote' }]);
    }));
});

describe('requests within the dialog (RFC 3261 §12.2.2)', () => {
  test('an older CSeq gets 500 and changes nothing', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      raw.request('OPTIONS', { cseq: 20 });
      await peer.expect('200 OPTIONS');
      raw.request('BYE', { cseq: 19 });
      await peer.expect('500 BYE');
      expect(told.ends).toEqual([]);
      raw.request('BYE', { cseq: 21 });
      await peer.expect('200 BYE');
    }));

  test('§11: OPTIONS is answered 200 with Allow and Accept', () =>
    withStack(async ({ stack, peer }) => {
      const { raw } = await established(stack, peer);
      raw.request('OPTIONS');
      const answer = await peer.expect('200 OPTIONS');
      expect(answer.header('Allow')).toContain('INVITE');
      expect(answer.header('Accept')).toBe('application/sdp');
      raw.request('BYE');
    }));

  test('a request that the session does not serve is offered to its owner once its CSeq is in order (§12.2.2)', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      const taken: string[] = [];
      session.handle({
        onModify: (modify) => modify.reject(488),
        onEnded: () => {},
        onRequest: (incoming) => {
          taken.push(incoming.request.method);
          incoming.respond(202);
          return true;
        },
      });
      raw.request('INFO');
      await peer.expect('202 INFO');
      raw.request('INFO', { cseq: 1 });
      await peer.expect('500 INFO');
      expect(taken).toEqual(['INFO']);
      session.end();
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§8.2.1: a method that has no use here gets 405 with Allow', () =>
    withStack(async ({ stack, peer }) => {
      const { raw } = await established(stack, peer);
      raw.request('INFO');
      expect((await peer.expect('405 INFO')).header('Allow')).toContain('BYE');
      raw.request('BYE');
    }));

  test('a tag that is not the dialog’s gets 481 (§12.2.2)', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      const { remote } = raw.dialog;
      raw.dialog.remote = remote.replace(/;tag=.*/, ';tag=forged');
      raw.request('BYE');
      await peer.expect('481 BYE');
      expect(told.ends).toEqual([]);
      raw.dialog.remote = remote;
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));
});

describe('a re-INVITE that comes in (RFC 3261 §14.2)', () => {
  test('is given to the owner; the 200 is repeated until its own ACK', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      const hold = `${OFFER}a=sendonly\r\n`;
      raw.invite({ body: hold });
      await world.until(() => told.modifies.length === 1);
      expect(told.modifies[0]?.sdp).toBe(hold);
      const accepted = told.modifies[0]?.accept(ANSWER);
      expect(butOrigin((await peer.expect('200 INVITE')).body)).toBe(butOrigin(ANSWER));
      await peer.expect('200 INVITE');
      raw.ack();
      expect(await world.run(() => accepted)).toBeUndefined();
      await world.advance({ seconds: 10 });
      expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(3);
      raw.request('BYE');
    }));

  test('without an ACK the session ends at 64·T1 (§13.3.1.4)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      raw.invite();
      await world.until(() => told.modifies.length === 1);
      void told.modifies[0]?.accept(ANSWER);
      peer.respond(await peer.expect('BYE'), 200);
      expect(told.ends).toMatchObject([{ by: 'network', cause: 'no-ack' }]);
    }));

  test('§14.2: a second one before the first is answered gets 500 with Retry-After from 0 to 10', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, told } = await established(stack, peer);
      raw.invite();
      await world.until(() => told.modifies.length === 1);
      const { dialog } = raw;
      raw.invite();
      const refused = await peer.expect('500 INVITE');
      const seconds = Number(refused.header('Retry-After'));
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(seconds).toBeLessThanOrEqual(10);
      raw.ackFailure(refused);
      expect(told.modifies).toHaveLength(1);
      void told.modifies[0]?.accept(ANSWER);
      const ok = await peer.expect('200 INVITE');
      expect(ok.cseq).toBe(dialog.cseq - 1);
      raw.ack({ cseq: ok.cseq });
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('§14.2: while an INVITE of ours waits it gets 491', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      const result = session.modify({ sdp: OFFER });
      const ours = await peer.expect('INVITE');
      expect(session.negotiating).toBe(true);
      raw.invite();
      const refused = await peer.expect('491 INVITE');
      raw.ackFailure(refused);
      peer.respond(ours, 200, { body: ANSWER });
      expect((await world.run(() => result)).kind).toBe('accepted');
      expect(session.negotiating).toBe(false);
      expect(told.modifies).toEqual([]);
      raw.request('BYE');
    }));

  test('RFC 5407 §3.1.5: while the offer in our 200 waits for its ACK it gets 491', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me', { body: '' });
      const invite = await stack.nextInvite();
      expect(invite.sdp).toBeUndefined();
      const session = invite.accept({ sdp: OFFER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      raw.learn(await peer.expect('200 INVITE'));
      raw.invite();
      raw.ackFailure(await peer.expect('491 INVITE'));
      raw.ack({ cseq: 1, body: ANSWER });
      await world.until(() => told.acknowledged.length === 1);
      expect(told.acknowledged).toEqual([ANSWER]);
      raw.request('BYE');
    }));

  test('RFC 5407 §3.1.4: before the ACK of the first it is served when no offer is open; the late ACK fits by CSeq', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      raw.learn(await peer.expect('200 INVITE'));
      raw.invite();
      await world.until(() => told.modifies.length === 1);
      void told.modifies[0]?.accept(ANSWER);
      await peer.expect((message) => message.status === 200 && message.cseq === 2);
      raw.ack({ cseq: 1 });
      raw.ack({ cseq: 2 });
      await world.until(() => told.acknowledged.length === 1);
      const before = peer.received.length;
      await world.advance({ seconds: 10 });
      expect(peer.received.length).toBe(before);
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('without anybody who listens it is refused with 488', () =>
    withStack(async ({ stack, peer }) => {
      const raw = peer.dial('me');
      const invite = await stack.nextInvite();
      invite.accept({ sdp: ANSWER });
      raw.learn(await peer.expect('200 INVITE'));
      raw.ack();
      await stack.world.advance({ ms: 50 });
      raw.invite();
      raw.ackFailure(await peer.expect('488 INVITE'));
      raw.request('BYE');
      await peer.expect('200 BYE');
    }));

  test('refreshes the target: BYE goes to the new Contact (§12.2.2)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      raw.invite({ contact: '<sip:moved@10.1.0.1:5060>' });
      await world.until(() => told.modifies.length === 1);
      void told.modifies[0]?.accept(ANSWER);
      await peer.expect('200 INVITE');
      raw.ack();
      await world.advance({ ms: 50 });
      session.end();
      const bye = await peer.expect('BYE');
      expect(bye.uri).toBe('sip:moved@10.1.0.1:5060');
      peer.respond(bye, 200);
    }));
});

describe('races at the end (RFC 5407 §3.2)', () => {
  test('§3.2.1: BYE crosses BYE: both get 200', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      session.end();
      raw.request('BYE');
      await peer.expect('200 BYE');
      peer.respond(await peer.expect('BYE'), 200);
      expect(told.ends).toEqual([{ by: 'local', cause: 'bye', reason: [] }]);
    }));

  test('§3.2.2: a re-INVITE that crosses our BYE gets 481', () =>
    withStack(async ({ stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      session.end();
      raw.invite();
      raw.ackFailure(await peer.expect('481 INVITE'));
      peer.respond(await peer.expect('BYE'), 200);
      expect(told.modifies).toEqual([]);
    }));

  test('§3.2.3: the 200 of our re-INVITE that crosses our BYE is acknowledged', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      const result = session.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      session.end();
      peer.respond(invite, 200, { body: ANSWER });
      expect((await peer.expect('ACK')).cseq).toBe(invite.cseq);
      expect(await world.run(() => result)).toEqual({ kind: 'ended' });
      peer.respond(await peer.expect('BYE'), 200);
    }));

  test('§3.2.4: an ACK after our BYE is ignored', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      session.end();
      raw.ack({ body: ANSWER });
      const bye = await peer.expect('BYE');
      peer.respond(bye, 200);
      raw.ack({ body: ANSWER });
      await world.advance({ seconds: 5 });
      expect(told.acknowledged).toEqual([undefined]);
      expect(told.ends).toHaveLength(1);
    }));

  test('§3.1.6: BYE before the ACK: 200 to it, and our 200 is not repeated any more', () =>
    withStack(async ({ world, stack, peer }) => {
      const raw = peer.dial('me');
      const session = (await stack.nextInvite()).accept({ sdp: ANSWER });
      if (session === undefined) throw new Error('not open');
      const told = listen(session);
      raw.learn(await peer.expect('200 INVITE'));
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(told.ends).toMatchObject([{ by: 'remote', cause: 'bye' }]);
      raw.ack({ cseq: 1 });
      await world.advance({ seconds: 40 });
      expect(peer.heard).toEqual(['200 INVITE', '200 BYE']);
      expect(told.acknowledged).toEqual([]);
    }));

  test('a BYE that nobody answers leaves nothing behind', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session } = await established(stack, peer);
      session.end();
      await world.advance({ seconds: 40 });
      expect(stack.dialogs.size).toBe(0);
    }));
});

describe('a repeated 2xx (RFC 3261 §13.2.2.4)', () => {
  test('of the first INVITE is acknowledged each time with the same bytes', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, ack } = await called(stack, peer);
      raw.respond(200, { body: ANSWER });
      raw.respond(200, { body: ANSWER });
      await world.advance({ ms: 100 });
      const acks = peer.received.filter((each) => each.method === 'ACK');
      expect(acks.map((each) => each.text)).toEqual([ack.text, ack.text, ack.text]);
      raw.request('BYE');
    }));

  test('also after the transaction has ended (RFC 6026 §7.2, Timer M)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, ack, told } = await called(stack, peer);
      await world.advance({ ms: 31_990 });
      raw.respond(200, { body: ANSWER });
      await world.advance({ seconds: 1 });
      expect(peer.received.filter((each) => each.method === 'ACK').map((each) => each.text)).toEqual([
        ack.text,
        ack.text,
      ]);
      expect(told.ends).toEqual([]);
      raw.request('BYE');
    }));

  test('of a re-INVITE is acknowledged each time with the same bytes', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      const result = session.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      for (let i = 0; i < 3; i++) peer.respond(invite, 200, { body: ANSWER });
      expect((await world.run(() => result)).kind).toBe('accepted');
      await world.advance({ ms: 100 });
      const acks = peer.received.filter((each) => each.method === 'ACK');
      expect(acks).toHaveLength(3);
      expect(new Set(acks.map((each) => each.text)).size).toBe(1);
      raw.request('BYE');
    }));
});

describe('restored from a snapshot', () => {
  test('goes on with the same dialog: requests of both sides fit (RFC 3261 §12)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session } = await established(stack, peer);
      const snapshot = JSON.parse(JSON.stringify(session.snapshot())) as SessionSnapshot;
      const restored = stack.dialogs.restore(snapshot);
      const told = listen(restored);
      raw.request('OPTIONS');
      await peer.expect('200 OPTIONS');
      const result = restored.modify({ sdp: OFFER });
      const invite = await peer.expect('INVITE');
      expect(tagIn(invite.header('To'))).toBe(tagIn(raw.dialog.local));
      peer.respond(invite, 200, { body: rawSdp() });
      expect(await world.run(() => result)).toMatchObject({ kind: 'accepted', sdp: rawSdp() });
      raw.request('BYE');
      await peer.expect('200 BYE');
      expect(told.ends).toMatchObject([{ by: 'remote' }]);
    }));

  test('probe: 200 keeps it, 481 ends it as gone (RFC 3261 §12.2.1.2)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      const first = session.probe();
      peer.respond(await peer.expect('OPTIONS'), 200);
      expect(await world.run(() => first)).toBe('alive');
      expect(told.ends).toEqual([]);
      const second = session.probe();
      peer.respond(await peer.expect('OPTIONS'), 481);
      expect(await world.run(() => second)).toBe('gone');
      expect(told.ends).toEqual([{ by: 'network', cause: 'gone', reason: [] }]);
      peer.respond(await peer.expect('BYE'), 481);
    }));

  test('probe: 405 and 501 say that the dialog lives', () =>
    withStack(async ({ world, stack, peer }) => {
      const { raw, session, told } = await established(stack, peer);
      for (const status of [405, 501]) {
        const found = session.probe();
        peer.respond(await peer.expect('OPTIONS'), status);
        expect(await world.run(() => found)).toBe('alive');
      }
      expect(told.ends).toEqual([]);
      raw.request('BYE');
    }));

  test('probe: silence ends it (RFC 3261 §12.2.1.2)', () =>
    withStack(async ({ world, stack, peer }) => {
      const { session, told } = await established(stack, peer);
      const found = session.probe();
      expect(await world.run(() => found)).toBe('gone');
      expect(told.ends).toMatchObject([{ cause: 'gone' }]);
      await world.advance({ seconds: 40 });
      expect(peer.heard).toContain('BYE');
    }));
});
