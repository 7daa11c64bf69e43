import { describe, expect, test } from 'vitest';
import { isRefer, readRefer } from '../../src/dialog/refer.js';
import { replacesDialog, replacesOf } from '../../src/dialog/replaces.js';
import { createRequest, type HeaderInit } from '../../src/protocol/sip/message.js';
import { SipParseError } from '../../src/protocol/sip/parse-error.js';
import { formatUri, parseUri } from '../../src/protocol/sip/uri.js';

function request(method: string, headers: HeaderInit) {
  return createRequest({
    method,
    uri: parseUri('sip:101@office.test'),
    headers: { 'Call-ID': 'c', CSeq: { sequence: 42, method }, ...headers },
  });
}

const refer = (headers: HeaderInit) => readRefer(request('REFER', headers));

describe('RFC 3515 §2.4.2: what a REFER asks for', () => {
  test('the URI without its headers and its method; the CSeq number tells REFERs apart', () => {
    const read = refer({ 'Refer-To': '<sip:102@office.test;method=INVITE;user=phone?Subject=hi>' });
    expect(isRefer(read) && [formatUri(read.target), read.sequence, read.subscribes, read.replaces]).toEqual([
      'sip:102@office.test;user=phone',
      42,
      true,
      undefined,
    ]);
  });

  test('a Replaces in the URI, escaped as RFC 3891 §7 shows it', () => {
    const read = refer({
      'Refer-To': '<sip:102@office.test?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472>',
    });
    expect(isRefer(read) && read.replaces).toMatchObject({
      callId: '425928@bobster.example.org',
      toTag: '7743',
      fromTag: '6472',
      earlyOnly: false,
    });
  });

  test('a tel URI; RFC 4488 §4: Refer-Sub: false wants no subscription', () => {
    const read = refer({ 'Refer-To': '<tel:+15551234>', 'Refer-Sub': 'false' });
    expect(isRefer(read) && [read.target.kind, read.subscribes]).toEqual(['tel', false]);
  });

  test.each([
    [{}, 400],
    [{ 'Refer-To': '<sip:a@b>, <sip:c@d>' }, 400],
    [{ 'Refer-To': '<sip:a@b?Replaces=x>' }, 400],
    [{ 'Refer-To': '<sip:a@b>', 'Refer-Sub': 'perhaps' }, 400],
    [{ 'Refer-To': '<mailto:a@b>' }, 416],
    [{ 'Refer-To': '<sip:a@b;method=SUBSCRIBE>' }, 403],
  ])('%j is refused with %i', (headers, status) => {
    expect(refer(headers as HeaderInit)).toMatchObject({ status });
  });
});

describe('RFC 3891 §3: which dialog', () => {
  const id = { callId: 'c1', localTag: 'ours', remoteTag: 'theirs' };
  const named = { callId: 'c1', toTag: 'ours', fromTag: 'theirs', earlyOnly: false, params: [] };

  test('to-tag is ours, from-tag the peer’s; all three must fit', () => {
    expect(replacesDialog(named, id)).toBe(true);
    expect(replacesDialog({ ...named, toTag: 'theirs', fromTag: 'ours' }, id)).toBe(false);
    expect(replacesDialog({ ...named, callId: 'C1' }, id)).toBe(false);
    expect(replacesDialog({ ...named, fromTag: '0' }, id)).toBe(false);
  });

  test('with Join it cannot be served', () => {
    const text = 'c1;to-tag=1;from-tag=2';
    expect(replacesOf(request('INVITE', { Replaces: text }))).toMatchObject({ callId: 'c1' });
    expect(() => replacesOf(request('INVITE', { Replaces: text, Join: text }))).toThrow(SipParseError);
  });
});
