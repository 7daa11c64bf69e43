import { describe, expect, test } from 'vitest';
import { passInvite, passPhrase, passProgress, passReason } from '../../src/call/passing.js';
import { createRequest } from '../../src/protocol/sip/message.js';
import { printMessage } from '../../src/protocol/sip/print.js';

const message = createRequest({
  method: 'INVITE',
  uri: 'sip:a@b',
  headers: {
    Subject: 'lunch',
    Priority: 'urgent',
    'X-Secret': 'no',
    'P-Asserted-Identity': '<sip:boss@b>',
    'Proxy-Authorization': 'Digest username="a"',
    Route: '<sip:p;lr>',
  },
});
message.headers.setRaw('Accept-Language', ['de', 'en;q=0.5']);
message.headers.setRaw('Reason', ['SIP;cause=486', 'Q.850;cause=17']);

describe('what passes from one leg to the other (architecture decision 3)', () => {
  test('of an INVITE: the chosen fields with all their values, and no others', () => {
    expect(passInvite(message)).toEqual({ Subject: 'lunch', Priority: 'urgent', 'Accept-Language': 'de, en;q=0.5' });
  });

  test('of a provisional response: Reason', () => {
    expect(passProgress(message)).toEqual({ Reason: 'SIP;cause=486, Q.850;cause=17' });
  });

  test('what was picked can stand in a message', () => {
    const headers = { ...passInvite(message), ...passProgress(message) };
    const printed = Buffer.from(printMessage(createRequest({ method: 'INVITE', uri: 'sip:a@b', headers }))).toString();
    expect(printed).toContain('\r\nAccept-Language: de, en;q=0.5\r\n');
    expect(printed).toContain('\r\nReason: SIP;cause=486, Q.850;cause=17\r\n');
  });

  test('nothing of what is not there', () => {
    expect(passInvite(createRequest({ method: 'INVITE', uri: 'sip:a@b' }))).toEqual({});
  });

  test('a reason phrase: at most 128 characters, each control character as a space (RFC 3261 §7.2)', () => {
    expect(passPhrase('Busy')).toBe('Busy');
    expect(passPhrase('a\r\nX-Evil: b\u0000\u007f\u0085')).toBe('a  X-Evil: b   ');
    expect(passPhrase('ü€'.repeat(100))).toBe('ü€'.repeat(64));
  });

  test('reasons in one field (RFC 3326)', () => {
    expect(passReason(['SIP;cause=486', 'Q.850;cause=17'])).toEqual({ Reason: 'SIP;cause=486, Q.850;cause=17' });
    expect(passReason([])).toEqual({});
  });
});
