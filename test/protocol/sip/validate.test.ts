import { describe, expect, it } from 'vitest';
import type { SipRequest, SipResponse } from '../../../src/protocol/sip/message.js';
import { createRequest } from '../../../src/protocol/sip/message.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { checkRequest, checkResponse, type SipFault } from '../../../src/protocol/sip/validate.js';

const GOOD: Readonly<Record<string, string>> = {
  Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  From: '<sip:a@b>;tag=1',
  To: '<sip:c@d>',
  'Call-ID': 'x',
  CSeq: '1 OPTIONS',
  'Max-Forwards': '70',
};

interface Changes {
  readonly line?: string;
  /** Headers to change; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly more?: readonly string[];
  readonly body?: string;
  readonly datagram?: boolean;
}

function message(startLine: string, { headers = {}, more = [], body = '' }: Changes): SipRequest | SipResponse {
  const lines = Object.entries({ ...GOOD, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return parseMessage(Buffer.from([startLine, ...lines, ...more, '', body].join('\r\n')));
}

function check(changes: Changes = {}): SipFault | undefined {
  return checkRequest(message(changes.line ?? 'OPTIONS sip:a@b SIP/2.0', changes) as SipRequest, {
    datagram: changes.datagram ?? true,
  });
}

describe('RFC 3261 §8.1.1, §8.2: what is checked before dispatch', () => {
  it('a sound request has no fault', () => {
    expect(check()).toBeUndefined();
    expect(
      checkRequest(createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: GOOD }), { datagram: true }),
    ).toBeUndefined();
  });

  it.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('%s is missing: 400', (name) => {
    expect(check({ headers: { [name]: undefined } })).toEqual({
      status: 400,
      reason: `Missing ${name}`,
      header: name,
      answerable: name !== 'Via',
    });
  });

  it.each(['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length'])('%s stands twice: 400', (name) => {
    const value = GOOD[name] ?? '0';
    expect(check({ more: [`${name}: ${value}`, `${name}: ${value}`] })).toMatchObject({
      status: 400,
      header: name,
      answerable: true,
    });
  });

  it.each([
    ['From', '<sip:a@b'],
    ['To', '"x <sip:a@b>'],
    ['Call-ID', ''],
    ['CSeq', '2147483648 OPTIONS'],
    ['CSeq', '36893488147419103232 OPTIONS'],
    ['CSeq', '1 INVITE'],
    ['Max-Forwards', '300'],
    ['Max-Forwards', '-1'],
    ['Via', 'SIP/2.0/UDP 192.0.2.1;;x'],
  ])('%s: %s is a 400 that can be answered', (name, value) => {
    expect(check({ headers: { [name]: value } })).toMatchObject({ status: 400, header: name, answerable: true });
  });

  it.each(['nonsense', 'SIP/2.0/UDP', 'SIP/2.0/UDP ,x', ''])('Via: %j shows no way for an answer', (value) => {
    expect(check({ headers: { Via: value } })).toMatchObject({ status: 400, answerable: false });
  });

  it('Max-Forwards may be missing (RFC 2543) and may be 0', () => {
    expect(check({ headers: { 'Max-Forwards': undefined } })).toBeUndefined();
    expect(check({ headers: { 'Max-Forwards': '0' } })).toBeUndefined();
  });

  it('§21.5.6: another version is a 505', () => {
    expect(check({ line: 'OPTIONS sip:a@b SIP/3.0' })).toEqual({
      status: 505,
      reason: 'Version Not Supported',
      answerable: true,
    });
  });

  it('an ACK is never answered', () => {
    expect(check({ line: 'ACK sip:a@b SIP/2.0' })).toMatchObject({ status: 400, answerable: false });
  });

  it.each(['<sip:a@b>', 'sip:2001:db8::1', 'sip:a@b?Route=%3Csip:c%3E', 'nocolon', 'sip:', 'sip:a@b:0'])(
    'Request-URI %s: 400',
    (uri) => {
      expect(check({ line: `OPTIONS ${uri} SIP/2.0` })).toMatchObject({ status: 400, answerable: true });
    },
  );

  it.each(['tel:+1201', 'mailto:a@b', 'nobodyknowsthis:x'])('Request-URI %s is left to a 416', (uri) => {
    expect(check({ line: `OPTIONS ${uri} SIP/2.0` })).toBeUndefined();
  });

  it('other headers are not looked at', () => {
    expect(check({ more: ['Contact: ???', 'Date: never', 'Expires: x', 'Route: <'] })).toBeUndefined();
  });
});

describe('RFC 3261 §18.3: Content-Length', () => {
  it('a datagram may leave it out, but may not promise more than it holds', () => {
    expect(check({ body: 'abc' })).toBeUndefined();
    expect(check({ more: ['Content-Length: 3'], body: 'abc' })).toBeUndefined();
    expect(check({ more: ['Content-Length: 2'], body: 'abc' })).toBeUndefined();
    expect(check({ more: ['Content-Length: 4'], body: 'abc' })).toMatchObject({
      status: 400,
      header: 'Content-Length',
    });
    expect(check({ more: ['Content-Length: -1'], body: 'abc' })).toMatchObject({
      status: 400,
      header: 'Content-Length',
    });
    expect(check({ more: ['Content-Length: 99999999999'] })).toMatchObject({ status: 400 });
  });

  it('§20.14: a stream must have it', () => {
    expect(check({ datagram: false })).toMatchObject({ status: 400, header: 'Content-Length' });
    expect(check({ datagram: false, more: ['l: 0'] })).toBeUndefined();
  });
});

describe('RFC 3261 §18.1.2: responses', () => {
  const respond = (changes: Changes = {}) =>
    checkResponse(message(changes.line ?? 'SIP/2.0 200 OK', changes) as SipResponse);

  it('a sound response has no fault, a faulty one is never answered', () => {
    expect(respond()).toBeUndefined();
    expect(respond({ line: 'SIP/3.0 200 OK' })).toMatchObject({ answerable: false });
    expect(respond({ headers: { CSeq: '4294967301 OPTIONS' } })).toMatchObject({ header: 'CSeq', answerable: false });
    expect(respond({ headers: { Via: undefined } })).toMatchObject({ answerable: false });
    expect(respond({ more: ['Content-Length: 5'] })).toMatchObject({ header: 'Content-Length' });
  });
});
