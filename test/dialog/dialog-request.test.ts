import { describe, expect, test } from 'vitest';
import { PbxkitError } from '../../src/base/errors.js';
import type { DialogContext } from '../../src/dialog/context.js';
import { Dialog, type DialogTarget } from '../../src/dialog/dialog.js';
import { endsDialog, sendAck } from '../../src/dialog/dialog-request.js';
import { createRequest, createResponse, type SipRequest } from '../../src/protocol/sip/message.js';
import { parseNameAddr } from '../../src/protocol/sip/name-addr.js';
import { printMessage } from '../../src/protocol/sip/print.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { established, withStack } from './stack.js';

const source = {
  protocol: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '10.0.0.1', port: 5060 },
  flow: {
    protocol: 'udp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '10.0.0.1', port: 5060 },
  },
  secure: false,
  receivedAt: 0,
} as const;

describe('what ends a dialog (RFC 3261 §12.2.1.2)', () => {
  for (const [status, ends] of [
    [481, true],
    [408, true],
    [404, false],
    [486, false],
    [491, false],
    [500, false],
    [604, false],
  ] as const) {
    test(`${status}: ${ends ? 'ends it' : 'does not'}`, () => {
      expect(endsDialog({ kind: 'response', response: createResponse(status), source })).toBe(ends);
    });
  }

  test('silence ends it; a transport that fails does not', () => {
    expect(endsDialog({ kind: 'timeout' })).toBe(true);
    expect(
      endsDialog({ kind: 'unreachable', error: new PbxkitError('SIP_TRANSPORT', 'transport', 'x'), unsent: true }),
    ).toBe(false);
  });
});

test('BYE is done when it is answered, whatever the answer (§15.1.1)', () =>
  withStack(async ({ world, stack, peer }) => {
    for (const status of [200, 481, 500]) {
      const { session } = await established(stack, peer);
      session.end();
      expect(stack.dialogs.size).toBe(1);
      peer.respond(await peer.expect('BYE'), status);
      await world.advance({ ms: 50 });
      expect(stack.dialogs.size).toBe(0);
    }
  }));

test('§13.2.2.4, §22.1: the ACK to a 2xx has the CSeq number and the credentials of its INVITE', () => {
  const contact = parseNameAddr('<sip:bob@192.0.2.1:5060>');
  const headers = {
    Via: 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKy',
    From: '<sip:alice@a.test>;tag=a',
    To: '<sip:bob@b.test>',
    'Call-ID': 'c',
    Contact: '<sip:a@10.0.0.1>',
  };
  const opening = createRequest({ method: 'INVITE', uri: 'sip:bob@b.test', headers: { ...headers, CSeq: '1 INVITE' } });
  const dialog = Dialog.uas(opening, 'b', contact, 'confirmed', source);
  const sent: SipRequest[] = [];
  const uac = {
    ack: (request: SipRequest) => {
      sent.push(request);
      return { resend: () => {} };
    },
  };
  const credentials = { Authorization: 'Digest username="a"', 'Proxy-Authorization': 'Digest username="alice"' };
  const invite = dialog.createRequest('INVITE', { headers: credentials });
  dialog.createRequest('INFO');
  sendAck({ uac, random: new SeededRandom(1) } as unknown as DialogContext, dialog, invite, 'v=0');
  expect(sent).toHaveLength(1);
  const [ack] = sent;
  expect(ack?.cseq).toEqual({ sequence: invite.cseq.sequence, method: 'ACK' });
  expect(ack?.headers.raw('Authorization')).toEqual(['Digest username="a"']);
  expect(ack?.headers.raw('Proxy-Authorization')).toEqual(['Digest username="alice"']);
  expect(ack?.bodyText()).toBe('v=0');
});

test('an ACK that is sent again takes the way that the dialog has then (§13.2.2.4, RFC 5626 §4.3)', () =>
  withStack(async ({ stack, peer }) => {
    const { session } = await established(stack, peer);
    const dialog = Dialog.restore(session.dialog.snapshot());
    session.end();
    peer.respond(await peer.expect('BYE'), 200);
    const ways: (string | undefined)[] = [];
    const branches = new Set<string | undefined>();
    const texts = new Set<string>();
    const uac = {
      ack: (request: SipRequest, target: DialogTarget) => {
        ways.push(target.flow?.connectionId);
        branches.add(request.branch);
        texts.add(Buffer.from(printMessage(request)).toString('latin1'));
      },
    };
    const invite = createRequest({ method: 'INVITE', uri: dialog.remoteTarget, headers: { CSeq: '1 INVITE' } });
    const connection = (connectionId: string) => ({
      ...source,
      protocol: 'tcp' as const,
      flow: { ...source.flow, protocol: 'tcp' as const, connectionId },
    });
    const refresh = createRequest({
      method: 'INVITE',
      uri: dialog.remoteTarget,
      headers: { Contact: '<sip:10.0.0.1;transport=tcp>', Via: 'SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKx' },
    });
    dialog.refreshTarget(refresh, connection('one'));
    const context = { uac, random: new SeededRandom(1) } as unknown as DialogContext;
    const ack = sendAck(context, dialog, invite, undefined);
    ack.resend();
    dialog.refreshTarget(refresh, connection('two'));
    ack.resend();
    ack.resend();
    expect(ways).toEqual(['one', 'one', 'two', 'two']);
    expect([...branches]).toEqual([expect.stringMatching(/^z9hG4bK-/)]);
    expect(texts.size).toBe(1);
  }));
