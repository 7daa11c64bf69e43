import { describe, expect, it } from 'vitest';
import { responseTo } from '../../src/protocol/sip/respond.js';
import {
  acknowledgedKeys,
  acknowledges,
  cancelledKey,
  clientKey,
  hasCookie,
  mergeKey,
  serverKey,
} from '../../src/transaction/key.js';
import { incomingRequest } from './messages.js';

describe('transaction matching', () => {
  it('§17.1.3: a response matches by branch and CSeq method', () => {
    const invite = incomingRequest('INVITE');
    const cancel = incomingRequest('CANCEL');
    expect(clientKey(responseTo(invite, 180))).toBe(clientKey(invite));
    expect(clientKey(responseTo(cancel, 200))).not.toBe(clientKey(invite));
  });

  it('§17.2.3: a request matches by branch, sent-by and method', () => {
    const key = serverKey(incomingRequest('OPTIONS'));
    expect(serverKey(incomingRequest('OPTIONS', { callId: 'other' }))).toBe(key);
    expect(serverKey(incomingRequest('OPTIONS', { branch: 'z9hG4bK-peer-2' }))).not.toBe(key);
    expect(serverKey(incomingRequest('OPTIONS', { sentBy: '192.0.2.9:5070' }))).not.toBe(key);
    expect(serverKey(incomingRequest('OPTIONS', { sentBy: '192.0.2.10:5060' }))).not.toBe(key);
    expect(serverKey(incomingRequest('MESSAGE'))).not.toBe(key);
  });

  it('§17.2.3: ACK and CANCEL find the INVITE by its branch', () => {
    const key = serverKey(incomingRequest('INVITE'));
    expect(acknowledgedKeys(incomingRequest('ACK', { toTag: 'callee' }))).toEqual([key]);
    expect(cancelledKey(incomingRequest('CANCEL'))).toBe(key);
    expect(serverKey(incomingRequest('CANCEL'))).not.toBe(key);
  });

  it('§17.2.3: sent-by is compared without regard to case', () => {
    const key = serverKey(incomingRequest('OPTIONS', { sentBy: 'Phone.example' }));
    expect(serverKey(incomingRequest('OPTIONS', { sentBy: 'phone.EXAMPLE' }))).toBe(key);
  });

  it.each([
    ['z9hG4bK1', true],
    ['z9hG4bK', false],
    ['', false],
    ['1', false],
  ])('§8.1.1.7, RFC 4475 §3.2.1: branch "%s" has the cookie and more: %s', (branch, expected) => {
    expect(hasCookie(incomingRequest('OPTIONS', { branch }))).toBe(expected);
  });

  describe('§17.2.3 without the cookie (RFC 2543)', () => {
    const old = { branch: '' };
    const key = serverKey(incomingRequest('INVITE', old));

    it.each([
      ['Request-URI', { uri: 'sip:101@192.0.2.1' }],
      ['From tag', { fromTag: 'other' }],
      ['To tag', { toTag: 'other' }],
      ['Call-ID', { callId: 'other' }],
      ['CSeq number', { sequence: 2 }],
      ['Via', { sentBy: '192.0.2.77:5060' }],
    ])('another %s is another transaction', (_name, change) => {
      expect(serverKey(incomingRequest('INVITE', { ...old, ...change }))).not.toBe(key);
    });

    it('a retransmission is the same', () => {
      expect(serverKey(incomingRequest('INVITE', old))).toBe(key);
    });

    it('the ACK is found although its To tag came with the response, and checked against it', () => {
      const ack = incomingRequest('ACK', { ...old, toTag: 'callee' });
      expect(acknowledgedKeys(ack)).toContain(key);
      expect(acknowledges(ack, 'callee')).toBe(true);
      expect(acknowledges(ack, 'another')).toBe(false);
      expect(acknowledges(ack, undefined)).toBe(false);
    });

    it('the CANCEL names the INVITE by all of these but the method', () => {
      expect(cancelledKey(incomingRequest('CANCEL', old))).toBe(key);
    });

    it('one value cannot run into its neighbour', () => {
      const a = serverKey(incomingRequest('INVITE', { ...old, callId: 'a', fromTag: 'b' }));
      const b = serverKey(incomingRequest('INVITE', { ...old, callId: 'b', fromTag: 'a' }));
      expect(a).not.toBe(b);
    });
  });

  it('§8.2.2.2: merged requests share From tag, Call-ID and CSeq; requests within a dialog never do', () => {
    const key = mergeKey(incomingRequest('INVITE'));
    expect(mergeKey(incomingRequest('INVITE', { branch: 'z9hG4bK-other', sentBy: 'proxy.example' }))).toBe(key);
    expect(mergeKey(incomingRequest('INVITE', { sequence: 2 }))).not.toBe(key);
    expect(mergeKey(incomingRequest('INVITE', { toTag: 'x' }))).toBeUndefined();
  });
});
