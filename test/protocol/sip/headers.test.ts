import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.js';
import { SipHeaders } from '../../../src/protocol/sip/headers.js';
import { createRequest } from '../../../src/protocol/sip/message.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { sipUri } from '../../../src/protocol/sip/uri.js';

function received(...lines: string[]): SipHeaders {
  return parseMessage(Buffer.from(['OPTIONS sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n'))).headers;
}

function lines(headers: SipHeaders): string[] {
  const text = Buffer.from(printMessage(createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers }))).toString();
  return text.split('\r\n').slice(1, -3);
}

const via = (host: string) => ({ protocol: 'SIP/2.0', transport: 'UDP', host, params: [] });

describe('SipHeaders', () => {
  it('keeps unknown headers in order (RFC 3261 §7.3.1)', () => {
    const headers = received('X-B: 1', 'X-A: 2', 'x-b: 3', 'To: <sip:a@b>');
    expect([...headers.entries()]).toEqual([
      ['X-B', '1'],
      ['X-A', '2'],
      ['x-b', '3'],
      ['To', '<sip:a@b>'],
    ]);
    expect(headers.raw('X-B')).toEqual(['1', '3']);
    expect(headers.count('x-B')).toBe(2);
  });

  it('gives the same object for the same header until it changes', () => {
    const headers = received('Route: <sip:a;lr>', 'Route: <sip:b;lr>');
    const first = headers.get('Route');
    expect(headers.get('Route')).toBe(first);
    headers.append('Route', '<sip:c;lr>');
    expect(headers.get('Route')).toHaveLength(3);
    headers.prepend('Route', '<sip:d;lr>');
    expect(headers.get('Route')?.map(({ uri }) => uri.kind === 'sip' && uri.host)).toEqual(['d', 'a', 'b', 'c']);
  });

  it('set replaces in the place of the first line, else appends', () => {
    const headers = received('Via: SIP/2.0/UDP a', 'Expires: 1', 'X-Y: y', 'Via: SIP/2.0/UDP b');
    headers.set('Via', [via('c')]).set('Max-Forwards', 70);
    expect(lines(headers)).toEqual(['Via: SIP/2.0/UDP c', 'Expires: 1', 'X-Y: y', 'Max-Forwards: 70']);
    headers.setRaw('x-y', ['1', '2']).remove('Expires');
    expect(lines(headers)).toEqual(['Via: SIP/2.0/UDP c', 'x-y: 1', 'x-y: 2', 'Max-Forwards: 70']);
  });

  it('an empty list of a header with one line each is no header', () => {
    const headers = new SipHeaders().set('Route', []).set('Supported', []);
    expect(headers.has('Route')).toBe(false);
    expect(headers.has('Supported')).toBe(true);
    expect(lines(headers)).toEqual(['Supported: ']);
  });

  it('a list of text is a line each, unless the value is such a list (RFC 3261 §7.3.1, RFC 3326 §2)', () => {
    const headers = SipHeaders.from({
      Reason: ['SIP;cause=200', 'Q.850;cause=16'],
      Accept: ['application/sdp'],
      Supported: ['timer', '100rel'],
      Privacy: ['id', 'critical'],
      Subject: ['one'],
      'Alert-Info': [],
      From: [],
      'X-A': ['1', '2'],
    });
    expect(lines(headers)).toEqual([
      'Reason: SIP;cause=200',
      'Reason: Q.850;cause=16',
      'Accept: application/sdp',
      'Supported: timer, 100rel',
      'Privacy: id;critical',
      'Subject: one',
      'X-A: 1',
      'X-A: 2',
    ]);
    expect(headers.get('Reason')?.map(({ protocol }) => protocol)).toEqual(['SIP', 'Q.850']);
    expect(() => SipHeaders.from({ From: ['<sip:a@b>', '<sip:c@d>'] })).toThrow(
      'From: found 2 lines, expected one: the header may stand only once',
    );
  });

  it('appends to a header that was set as a value', () => {
    const headers = new SipHeaders().set('Supported', ['timer']).append('k', '100rel');
    expect(headers.get('Supported')).toEqual(['timer', '100rel']);
  });

  it('takes typed values, text and lists of text (HeaderInit), in order', () => {
    const headers = SipHeaders.from({
      From: { uri: sipUri({ user: 'a', host: 'b' }), params: [{ name: 'tag', value: '1' }] },
      to: '<sip:c@d>',
      'X-Two': ['1', '2'],
      'Record-Route': ['<sip:p1;lr>', '<sip:p2;lr>'],
      Supported: ['a', 'b'],
      Contact: '*',
      Expires: 0,
      Subject: undefined,
    });
    expect(lines(headers)).toEqual([
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>',
      'X-Two: 1',
      'X-Two: 2',
      'Record-Route: <sip:p1;lr>',
      'Record-Route: <sip:p2;lr>',
      'Supported: a, b',
      'Contact: *',
      'Expires: 0',
    ]);
    expect(headers.get('Record-Route')).toHaveLength(2);
  });

  it('the same header in two spellings of one HeaderInit: the last wins', () => {
    expect(SipHeaders.from({ 'Call-ID': 'a', i: 'b' }).raw('Call-ID')).toEqual(['b']);
  });

  it('a clone changes alone', () => {
    const headers = received('To: <sip:a@b>', 'X: 1');
    headers.get('To');
    const clone = headers.clone().setRaw('To', '<sip:c@d>').append('X', '2');
    expect(headers.raw('To')).toEqual(['<sip:a@b>']);
    expect(headers.raw('X')).toEqual(['1']);
    expect(clone.get('To')?.uri).toMatchObject({ user: 'c' });
    expect(clone.raw('X')).toEqual(['1', '2']);
  });
});

describe('top Via (RFC 3261 §18.2.1, §16.11)', () => {
  it('replaceTopVia leaves the lines below as they came', () => {
    const headers = received('v: SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP  b', 'Via:SIP/2.0/UDP  c ;x="y"');
    headers.replaceTopVia({
      ...via('a'),
      params: [
        { name: 'branch', value: '1' },
        { name: 'received', value: '192.0.2.1' },
      ],
    });
    expect(lines(headers)).toEqual([
      'Via: SIP/2.0/UDP a;branch=1;received=192.0.2.1',
      'Via: SIP/2.0/TCP b',
      'Via: SIP/2.0/UDP  c ;x="y"',
    ]);
    expect(headers.get('Via')?.map(({ host }) => host)).toEqual(['a', 'b', 'c']);
    expect(headers.topVia?.params).toHaveLength(2);
  });

  it('pushVia and popVia are opposites', () => {
    const headers = received('Via: SIP/2.0/UDP a', 'Via: SIP/2.0/UDP b');
    headers.pushVia(via('c'));
    expect(headers.raw('Via')).toEqual(['SIP/2.0/UDP c', 'SIP/2.0/UDP a', 'SIP/2.0/UDP b']);
    expect(headers.get('Via')?.map(({ host }) => host)).toEqual(['c', 'a', 'b']);
    expect(headers.popVia()?.host).toBe('c');
    expect(headers.raw('Via')).toEqual(['SIP/2.0/UDP a', 'SIP/2.0/UDP b']);
    expect(headers.popVia()?.host).toBe('a');
    expect(headers.popVia()?.host).toBe('b');
    expect(headers.popVia()).toBeUndefined();
    expect(headers.has('Via')).toBe(false);
  });

  it('works on typed values too', () => {
    const headers = new SipHeaders().pushVia(via('a')).pushVia(via('b'));
    headers.replaceTopVia(via('c'));
    expect(headers.get('Via')?.map(({ host }) => host)).toEqual(['c', 'a']);
    expect(headers.popVia()?.host).toBe('c');
    expect(headers.topVia?.host).toBe('a');
  });

  it('a Via that was pushed stands before all other headers', () => {
    expect(lines(new SipHeaders().set('Max-Forwards', 1).pushVia(via('a')))[0]).toBe('Via: SIP/2.0/UDP a');
  });
});

describe('text and bytes', () => {
  it('reads UTF-8 and gives back the very bytes', () => {
    const headers = received('From: "J\u00fcrgen \u4e2d" <sip:a@b>', 'Subject: \u0441\u0442\u043e');
    expect(headers.get('From')?.displayName).toBe('J\u00fcrgen \u4e2d');
    expect(headers.first('s')).toBe('\u0441\u0442\u043e');
    expect(Buffer.from(headers.wire('Subject')[0] ?? '', 'latin1').toString()).toBe('\u0441\u0442\u043e');
    expect(lines(headers)).toEqual(['From: "J\u00fcrgen \u4e2d" <sip:a@b>', 'Subject: \u0441\u0442\u043e']);
  });

  it('bytes that are no UTF-8 are echoed as they are', () => {
    const head = Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nSubject: a\xff\xfeb\r\n\r\n', 'latin1');
    const message = parseMessage(head);
    expect(message.headers.get('Subject')).toBe('a\ufffd\ufffdb');
    expect(Buffer.from(printMessage(message)).includes(Buffer.from([0x61, 0xff, 0xfe, 0x62]))).toBe(true);
  });

  it('writes text that was set as UTF-8', () => {
    const headers = new SipHeaders().setRaw('Subject', '\u010d\u00e9').set('Organization', '\u010d\ud83d\ude00');
    expect(lines(headers)).toEqual(['Subject: \u010d\u00e9', 'Organization: \u010d\ud83d\ude00']);
    expect(headers.raw('Subject')).toEqual(['\u010d\u00e9']);
  });

  it('UTF-8 in the body does not change how headers are read', () => {
    const message = parseMessage(
      Buffer.from('MESSAGE sip:a@b SIP/2.0\r\nSubject: x\r\nFrom: "A" <sip:a@b>\r\n\r\n\u00e9'),
    );
    expect(message.from.displayName).toBe('A');
    expect(message.bodyText()).toBe('\u00e9');
  });
});

describe('nothing that a program hands over can begin a new header line', () => {
  const evil = 'x\r\nInjected: 1';

  it.each(['\r\n', '\n', '\r', 'a\nb', '\u010d\r\n'])('setRaw, append and prepend refuse %j', (text) => {
    for (const act of ['setRaw', 'append', 'prepend'] as const) {
      expect(() => new SipHeaders()[act]('Subject', text)).toThrow(UsageError);
    }
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'caf\u00e9'])('%j is no header name', (name) => {
    expect(() => new SipHeaders().setRaw(name, 'x')).toThrow(/expected a token/);
  });

  it.each<readonly [string, () => SipHeaders]>([
    ['display name', () => new SipHeaders().set('From', { displayName: evil, uri: sipUri({ host: 'a' }), params: [] })],
    ['host', () => new SipHeaders().set('From', { uri: sipUri({ host: evil }), params: [] })],
    ['parameter name', () => new SipHeaders().set('From', { uri: sipUri({ host: 'a' }), params: [{ name: evil }] })],
    [
      'parameter value',
      () => new SipHeaders().set('From', { uri: sipUri({ host: 'a' }), params: [{ name: 'a', value: evil }] }),
    ],
    [
      'URI parameter',
      () =>
        new SipHeaders().set('Contact', [
          { uri: sipUri({ host: 'a', params: [{ name: 'a', value: evil }] }), params: [] },
        ]),
    ],
    ['opaque URI', () => new SipHeaders().set('To', { uri: { kind: 'other', scheme: 'x', text: evil }, params: [] })],
    ['Call-ID', () => new SipHeaders().set('Call-ID', evil)],
    ['Call-ID from an object', () => SipHeaders.from({ 'Call-ID': evil })],
    ['method', () => new SipHeaders().set('CSeq', { sequence: 1, method: evil })],
    ['token list', () => new SipHeaders().set('Supported', ['a', evil])],
    ['Via host', () => new SipHeaders().set('Via', [via(evil)])],
    [
      'authentication',
      () => new SipHeaders().set('Authorization', [{ scheme: 'Digest', params: [{ name: 'a', value: evil }] }]),
    ],
    [
      'reason text',
      () => new SipHeaders().set('Reason', [{ protocol: 'SIP', params: [{ name: 'text', value: evil }] }]),
    ],
    ['behind a character beyond ASCII', () => new SipHeaders().set('Subject', `\u010d${evil}`)],
  ])('%s', (_what, make) => {
    expect(() => printMessage(createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: make() }))).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  });

  it('a user is escaped instead, and U+010D is no CR', () => {
    const headers = new SipHeaders()
      .set('To', { uri: sipUri({ user: evil, host: 'a' }), params: [] })
      .setRaw('Subject', '\u010d\u010a');
    expect(lines(headers)).toEqual(['To: <sip:x%0D%0AInjected%3A%201@a>', 'Subject: \u010d\u010a']);
  });

  it.each(['a b', '', 'a\r\nb', 'a\tb'])('createRequest refuses the URI %j', (uri) => {
    expect(() => createRequest({ method: 'OPTIONS', uri })).toThrow(UsageError);
  });

  it.each(['a b', '', 'A\r\n'])('createRequest refuses the method %j', (method) => {
    expect(() => createRequest({ method, uri: 'sip:a' })).toThrow(UsageError);
  });

  it('what was printed after a refusal is whole', () => {
    const bad = createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: { 'Call-ID': evil } });
    expect(() => printMessage(bad)).toThrow(/Call-ID/);
    expect(lines(new SipHeaders().set('Call-ID', 'x'))).toEqual(['Call-ID: x']);
  });
});
