/** RFC 3261 §13.2.2.4: every 2xx is acknowledged, also one to a re-INVITE of which nothing is left. */
import { expect, test } from 'vitest';
import { Dialog, type DialogTarget } from '../../src/dialog/dialog.js';
import { LateSuccesses } from '../../src/dialog/late-successes.js';
import { createRequest, type SipRequest } from '../../src/protocol/sip/message.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import type { Source } from '../../src/ua/target.js';
import type { Uac } from '../../src/ua/uac.js';
import { ANSWER, called, established, OFFER, withStack } from './stack.js';

const byConnection = (connectionId: string): Source => {
  const [local, remote] = [
    { address: '192.0.2.1', port: 5060 },
    { address: '10.0.0.7', port: 5060 },
  ];
  const flow = { protocol: 'tcp' as const, local, remote, connectionId };
  return { protocol: 'tcp', local, remote, flow, secure: false, receivedAt: 0 };
};

test('the ACK takes the connection that the 2xx came by, when that of the dialog has died (RFC 5626 §4.3)', () => {
  const invite = createRequest({
    method: 'INVITE',
    uri: 'sip:bob@10.0.0.7',
    headers: {
      Via: 'SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1',
      From: '<sip:alice@a.test>;tag=a',
      To: '<sip:bob@b.test>',
      'Call-ID': 'c',
      CSeq: '1 INVITE',
      Contact: '<sip:alice@192.0.2.1>',
    },
  });
  const answer = responseTo(invite, 200, { toTag: 'b', headers: { Contact: '<sip:bob@10.0.0.7;transport=tcp>' } });
  const dialog = Dialog.uac(invite, answer, byConnection('dead'), { behindNat: false });
  const again = dialog.createRequest('INVITE');
  const acks: (readonly [SipRequest, string | undefined])[] = [];
  const uac = {
    ack: (request: SipRequest, target: DialogTarget) => {
      acks.push([request, target.flow?.connectionId]);
      return { resend: () => {} };
    },
  } as Pick<Uac, 'ack'> as Uac;
  new LateSuccesses({ uac }, dialog).onSuccess(responseTo(again, 200), byConnection('alive'));
  expect(acks.map(([ack, way]) => [ack.cseq, way])).toEqual([[{ sequence: 2, method: 'ACK' }, 'alive']]);
});

test('a 2xx to a re-INVITE is not taken for the answer to the INVITE that began the session, which was lately', () =>
  withStack(async ({ world, stack, peer }) => {
    const { session } = await called(stack, peer);
    void session.modify({ sdp: OFFER });
    const invite = await peer.expect('INVITE');
    peer.respond(invite, 500);
    await peer.expect('ACK');
    // The transaction is gone after timer D, 32 s; the first INVITE is known for 37.
    await world.advance({ ms: 34_500 });
    peer.respond(invite, 200, { body: ANSWER });
    expect((await peer.expect('ACK')).cseq).toBe(invite.cseq);
    session.end();
    peer.respond(await peer.expect('BYE'), 200);
  }));

test('after the session, which ended because nobody answered: ACK, and another BYE to who did not hear the first', () =>
  withStack(async ({ world, stack, peer }) => {
    const { session, told } = await established(stack, peer);
    void session.modify({ sdp: OFFER });
    const invite = await peer.expect('INVITE');
    await world.until(() => told.ends.length === 1);
    peer.respond(await peer.expect('BYE'), 500);
    await world.advance({ seconds: 1 });
    expect(stack.dialogs.size).toBe(0);
    peer.skip();
    peer.respond(invite, 200, { body: ANSWER });
    expect((await peer.expect('ACK')).cseq).toBe(invite.cseq);
    const bye = await peer.expect('BYE');
    expect(bye.cseq).toBeGreaterThan(invite.cseq);
    peer.respond(bye, 200);
    peer.respond(invite, 200, { body: ANSWER });
    expect((await peer.expect('ACK')).cseq).toBe(invite.cseq);
    await world.advance({ seconds: 1 });
    expect(peer.heard.slice(-1)).toEqual(['ACK']);
    await world.advance({ seconds: 31 });
    const heard = peer.received.length;
    peer.respond(invite, 200, { body: ANSWER });
    await world.advance({ seconds: 1 });
    expect(peer.received).toHaveLength(heard);
  }));

test('a session whose every re-INVITE was answered leaves nothing behind that answers', () =>
  withStack(async ({ world, stack, peer }) => {
    const { session, raw } = await established(stack, peer);
    void session.modify({ sdp: OFFER });
    const invite = await peer.expect('INVITE');
    peer.respond(invite, 200, { body: ANSWER });
    await peer.expect('ACK');
    raw.request('BYE');
    await peer.expect('200 BYE');
    expect(session.lateSuccesses).toBeUndefined();
    await world.advance({ seconds: 1 });
  }));
