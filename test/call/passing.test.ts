import { describe, expect, test } from 'vitest';
import { diversions } from '../../src/call/call-history.js';
import { passInvite, passPhrase, passProgress, passReason } from '../../src/call/passing.js';
import { createRequest } from '../../src/protocol/sip/message.js';
import { printMessage } from '../../src/protocol/sip/print.js';

const message = createRequest({
  method: 'INVITE',
  uri: 'sip:a@b',
  headers: {
    Subject: 'lunch',
    Priority: 'urgent',
    'User-to-User': '56a3;encoding=hex',
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
    expect(passInvite(message, 'phone', { peer: 'phone' })).toEqual({
      Subject: 'lunch',
      Priority: 'urgent',
      'Accept-Language': 'de, en;q=0.5',
      'User-to-User': '56a3;encoding=hex',
    });
  });

  test('of an INVITE to a trunk: less', () => {
    expect(Object.keys(passInvite(message, 'phone', { peer: 'trunk' })).sort()).toEqual([
      'Accept-Language',
      'Priority',
      'User-to-User',
    ]);
  });

  test('where a call was before and how it rings: from a trunk, never from a phone (RFC 5806 §6, RFC 7044 §10)', () => {
    const past = {
      Diversion: '<sip:200@b>;reason=user-busy',
      'History-Info': '<sip:200@b>;index=1',
      'Alert-Info': '<urn:alert:source:external>',
    };
    const diverted = createRequest({ method: 'INVITE', uri: 'sip:a@b', headers: past });
    const passed = createRequest({
      method: 'INVITE',
      uri: 'sip:a@b',
      headers: passInvite(diverted, 'trunk', { peer: 'phone' }),
    });
    for (const [name, value] of Object.entries(past)) expect(passed.headers.raw(name)).toEqual([value]);
    expect(Object.keys(passInvite(diverted, 'trunk', { peer: 'trunk' })).sort()).toEqual(['Diversion', 'History-Info']);
    expect(passInvite(diverted, 'phone', { peer: 'phone' })).toEqual({});
    expect(passInvite(diverted, 'phone', { peer: 'trunk' })).toEqual({});
  });

  describe('of where a call was before, to a phone not what is private', () => {
    const from = (headers: Record<string, string>, to: 'phone' | 'trunk') =>
      passInvite(createRequest({ method: 'INVITE', uri: 'sip:a@b', headers }), 'trunk', { peer: to });
    const users = (value: unknown) => (value as { uri: { user: string } }[] | undefined)?.map(({ uri }) => uri.user);

    test('RFC 7044 §10.1.2: entries of History-Info that ask for privacy; to a trunk all of them, marks and all', () => {
      const headers = {
        'History-Info': '<sip:1@b?Privacy=id%3Bhistory>;index=1, <sip:2@b>;index=1.1, <sip:3@b?privacy=none>;index=1.2',
      };
      expect(users(from(headers, 'phone')['History-Info'])).toEqual(['2', '3']);
      expect(users(from(headers, 'trunk')['History-Info'])).toEqual(['1', '2', '3']);
    });

    test.each(['history', 'session', 'id;header'])(
      'RFC 7044 §10.1.1: Privacy: %s of the request, for all entries',
      (privacy) => {
        const headers = { Privacy: privacy, 'History-Info': '<sip:1@b>;index=1' };
        expect([from(headers, 'phone'), from(headers, 'trunk')]).toEqual([{}, {}]);
      },
    );

    test('RFC 5806 §6.2: Diversion with privacy', () => {
      const headers = {
        Diversion: '<sip:1@b>;privacy=full, <sip:2@b>;privacy=off, <sip:3@b>;privacy="uri", <sip:4@b>',
      };
      expect(users(from(headers, 'phone').Diversion)).toEqual(['2', '4']);
      expect(users(from(headers, 'trunk').Diversion)).toEqual(['1', '2', '3', '4']);
    });

    test('RFC 5806 §5.1: who sent it on here stands above who did before', () => {
      const headers = { Diversion: '<sip:1@b>' };
      const request = createRequest({ method: 'INVITE', uri: 'sip:a@b', headers });
      expect(users(passInvite(request, 'trunk', { peer: 'phone' }, diversions(['3', '2'], 'b')).Diversion)).toEqual([
        '3',
        '2',
        '1',
      ]);
      expect(users(passInvite(request, 'phone', { peer: 'phone' }, diversions(['3'], 'b')).Diversion)).toEqual(['3']);
    });

    test('what cannot be read is not passed', () => {
      expect(from({ Diversion: '<sip:1@b', 'History-Info': '<<' }, 'trunk')).toEqual({});
    });
  });

  test('of a provisional response: Reason', () => {
    expect(passProgress(message)).toEqual({ Reason: 'SIP;cause=486, Q.850;cause=17' });
  });

  test('what was picked can stand in a message', () => {
    const headers = { ...passInvite(message, 'phone', { peer: 'phone' }), ...passProgress(message) };
    const printed = Buffer.from(printMessage(createRequest({ method: 'INVITE', uri: 'sip:a@b', headers }))).toString();
    expect(printed).toContain('\r\nAccept-Language: de, en;q=0.5\r\n');
    expect(printed).toContain('\r\nReason: SIP;cause=486, Q.850;cause=17\r\n');
  });

  test('nothing of what is not there', () => {
    expect(passInvite(createRequest({ method: 'INVITE', uri: 'sip:a@b' }), 'trunk', { peer: 'phone' })).toEqual({});
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
