import { describe, expect, it } from 'vitest';
import { nameHash } from '../../../../src/protocol/sip/header/codec.js';
import { canonicalName, codecByHash, codecOf } from '../../../../src/protocol/sip/header/lookup.js';
import { CODECS, type HeaderName, type HeaderValues } from '../../../../src/protocol/sip/header/registry.js';
import { SipHeaders } from '../../../../src/protocol/sip/headers.js';
import { createResponse } from '../../../../src/protocol/sip/message.js';
import { parseMessage, SipParseError } from '../../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../../src/protocol/sip/print.js';

function headersFrom(...lines: string[]): SipHeaders {
  return parseMessage(Buffer.from(['SIP/2.0 200 OK', ...lines, '', ''].join('\r\n'))).headers;
}

function read<K extends HeaderName>(name: K, text: string): HeaderValues[K] | undefined {
  return headersFrom(`${name}: ${text}`).get(name);
}

/** Header, a text of it, its typed value, the text that is written (default: the same text). */
const EXAMPLES: readonly (readonly [HeaderName, string, unknown, string?])[] = [
  [
    'Accept',
    'application/sdp;level=1, application/x-private',
    [
      { type: 'application', subtype: 'sdp', params: [{ name: 'level', value: '1' }] },
      { type: 'application', subtype: 'x-private', params: [] },
    ],
  ],
  ['Accept', '', []],
  [
    'Accept-Encoding',
    'gzip, *;q=0',
    [
      { value: 'gzip', params: [] },
      { value: '*', params: [{ name: 'q', value: '0' }] },
    ],
  ],
  [
    'Accept-Language',
    'da, en-gb;q=0.8',
    [
      { value: 'da', params: [] },
      { value: 'en-gb', params: [{ name: 'q', value: '0.8' }] },
    ],
  ],
  [
    'Alert-Info',
    '<http://www.example.com/sounds/moo.wav>',
    [{ uri: 'http://www.example.com/sounds/moo.wav', params: [] }],
  ],
  ['Allow', 'INVITE, ACK,OPTIONS', ['INVITE', 'ACK', 'OPTIONS'], 'INVITE, ACK, OPTIONS'],
  ['Allow', '', []],
  ['Allow-Events', 'presence, dialog', ['presence', 'dialog']],
  [
    'Authentication-Info',
    'nextnonce="47364c", qop=auth',
    [
      { name: 'nextnonce', value: '"47364c"' },
      { name: 'qop', value: 'auth' },
    ],
  ],
  [
    'Authorization',
    'Digest username="Alice", realm="a, b", nc=00000001',
    [
      {
        scheme: 'Digest',
        params: [
          { name: 'username', value: '"Alice"' },
          { name: 'realm', value: '"a, b"' },
          { name: 'nc', value: '00000001' },
        ],
      },
    ],
  ],
  ['Call-ID', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com'],
  [
    'Call-Info',
    '<http://wwww.example.com/alice/photo.jpg> ;purpose=icon',
    [{ uri: 'http://wwww.example.com/alice/photo.jpg', params: [{ name: 'purpose', value: 'icon' }] }],
    '<http://wwww.example.com/alice/photo.jpg>;purpose=icon',
  ],
  ['Contact', '*', '*'],
  [
    'Content-Disposition',
    'session;handling=optional',
    { value: 'session', params: [{ name: 'handling', value: 'optional' }] },
  ],
  ['Content-Encoding', 'gzip', ['gzip']],
  ['Content-Language', 'fr, en', ['fr', 'en']],
  [
    'Content-Type',
    'Text/HTML; charset=ISO-8859-4',
    { type: 'text', subtype: 'html', params: [{ name: 'charset', value: 'ISO-8859-4' }] },
    'text/html;charset=ISO-8859-4',
  ],
  ['CSeq', '4711 INVITE', { sequence: 4711, method: 'INVITE' }],
  ['Date', 'Sat, 13 Nov 2010 23:29:00 GMT', new Date(Date.UTC(2010, 10, 13, 23, 29, 0))],
  [
    'Error-Info',
    '<sip:not-in-service-recording@atlanta.com>',
    [{ uri: 'sip:not-in-service-recording@atlanta.com', params: [] }],
  ],
  [
    'Event',
    'dialog;id=7;call-id=x',
    {
      package: 'dialog',
      params: [
        { name: 'id', value: '7' },
        { name: 'call-id', value: 'x' },
      ],
    },
  ],
  ['Expires', '3600', 3600],
  ['Flow-Timer', '120', 120],
  [
    'In-Reply-To',
    '70710@saturn.bell-tel.com, 17320@saturn.bell-tel.com',
    ['70710@saturn.bell-tel.com', '17320@saturn.bell-tel.com'],
  ],
  [
    'Join',
    '12adf2f34456gs5;to-tag=12345;from-tag=54321',
    { callId: '12adf2f34456gs5', toTag: '12345', fromTag: '54321', earlyOnly: false, params: [] },
  ],
  ['Max-Breadth', '60', 60],
  ['Max-Forwards', '70', 70],
  ['MIME-Version', '1.0', '1.0'],
  ['Min-Expires', '60', 60],
  ['Min-SE', '90;x=1', { seconds: 90, params: [{ name: 'x', value: '1' }] }],
  ['Organization', 'Boxes by Bob', 'Boxes by Bob'],
  ['Priority', 'emergency', 'emergency'],
  ['Privacy', 'id; user', ['id', 'user'], 'id;user'],
  [
    'Proxy-Authenticate',
    'Digest realm="a", nonce="b"',
    [
      {
        scheme: 'Digest',
        params: [
          { name: 'realm', value: '"a"' },
          { name: 'nonce', value: '"b"' },
        ],
      },
    ],
  ],
  ['Proxy-Authorization', 'Digest username="a"', [{ scheme: 'Digest', params: [{ name: 'username', value: '"a"' }] }]],
  ['Proxy-Require', 'foo', ['foo']],
  ['RAck', '776656 1 INVITE', { rseq: 776656, cseq: 1, method: 'INVITE' }],
  [
    'Reason',
    'Q.850;cause=16;text="Terminated, done", SIP;cause=600',
    [
      {
        protocol: 'Q.850',
        params: [
          { name: 'cause', value: '16' },
          { name: 'text', value: '"Terminated, done"' },
        ],
      },
      { protocol: 'SIP', params: [{ name: 'cause', value: '600' }] },
    ],
  ],
  ['Refer-Sub', 'false', { value: false, params: [] }],
  [
    'Replaces',
    '425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only',
    { callId: '425928@bobster.example.org', toTag: '7743', fromTag: '6472', earlyOnly: true, params: [] },
  ],
  ['Require', '100rel', ['100rel']],
  ['Retry-After', '18000;duration=3600', { seconds: 18000, params: [{ name: 'duration', value: '3600' }] }],
  ['Retry-After', "120 (I'm in a (long) meeting)", { seconds: 120, comment: "I'm in a (long) meeting", params: [] }],
  ['RSeq', '988789', 988789],
  ['Server', 'HomeServer v2', 'HomeServer v2'],
  ['Session-Expires', '1800;refresher=uac', { seconds: 1800, params: [{ name: 'refresher', value: 'uac' }] }],
  ['SIP-ETag', 'dx200xyz', 'dx200xyz'],
  ['SIP-If-Match', 'dx200xyz', 'dx200xyz'],
  ['Subject', 'Need more boxes, "soon"', 'Need more boxes, "soon"'],
  [
    'Subscription-State',
    'Terminated;reason=timeout',
    { state: 'terminated', params: [{ name: 'reason', value: 'timeout' }] },
    'terminated;reason=timeout',
  ],
  ['Supported', '', []],
  [
    'Target-Dialog',
    'fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544',
    { callId: 'fa77as7dad8-sd98ajzz@host.example.com', localTag: 'kkaz-', remoteTag: '6544', params: [] },
  ],
  ['Timestamp', '54.21 0.5', { value: '54.21', delay: '0.5' }],
  ['Unsupported', 'foo', ['foo']],
  ['User-Agent', 'Softphone Beta1.5', 'Softphone Beta1.5'],
  [
    'Via',
    'SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7;rport',
    [
      {
        protocol: 'SIP/2.0',
        transport: 'UDP',
        host: 'erlang.bell-telephone.com',
        port: 5060,
        params: [{ name: 'branch', value: 'z9hG4bK87asdks7' }, { name: 'rport' }],
      },
    ],
  ],
  [
    'Via',
    'SIP / 2.0 / UDP [2001:db8::9:1];ttl=16',
    [{ protocol: 'SIP/2.0', transport: 'UDP', host: '2001:db8::9:1', params: [{ name: 'ttl', value: '16' }] }],
    'SIP/2.0/UDP [2001:db8::9:1];ttl=16',
  ],
  [
    'Warning',
    '307 isi.edu "Session parameter \\"foo\\" not understood"',
    [{ code: 307, agent: 'isi.edu', text: 'Session parameter "foo" not understood' }],
  ],
  [
    'WWW-Authenticate',
    'Digest realm="atlanta.com", qop="auth,auth-int"',
    [
      {
        scheme: 'Digest',
        params: [
          { name: 'realm', value: '"atlanta.com"' },
          { name: 'qop', value: '"auth,auth-int"' },
        ],
      },
    ],
  ],
];

/** Headers that hold one address, or a list of them. */
const ADDRESS: readonly HeaderName[] = ['From', 'To', 'Refer-To', 'Referred-By', 'Reply-To'];
const ADDRESSES: readonly HeaderName[] = [
  'Contact',
  'Diversion',
  'History-Info',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Path',
  'Record-Route',
  'Route',
  'Service-Route',
];
const PLAIN: readonly HeaderName[] = ['Accept-Contact', 'Reject-Contact', 'Identity', 'Identity-Info'];

describe('RFC 3261 §20 and its extensions: each header', () => {
  const examples = EXAMPLES.map(([name, text, value, written]) => ({ name, text, value, written: written ?? text }));

  it.each(examples)('$name: $text', ({ name, text, value, written }) => {
    expect(read(name, text)).toEqual(value);
    const headers = new SipHeaders().set(name, value as HeaderValues[typeof name]);
    expect(headers.raw(name)).toEqual([written]);
    const again = parseMessage(printMessage(createResponse(200, { headers })));
    expect(again.headers.get(name)).toEqual(value);
  });

  it.each(ADDRESS)('%s: one address', (name) => {
    const text = '"A. G. Bell" <sip:agb@bell-telephone.com;lr>;tag=a48s';
    expect(read(name, text)).toMatchObject({ displayName: 'A. G. Bell', params: [{ name: 'tag', value: 'a48s' }] });
    expect(() => read(name, `${text}, <sip:b@c>`)).toThrow(SipParseError);
  });

  it.each(ADDRESSES)('%s: addresses, with commas and on several lines', (name) => {
    const value = headersFrom(
      `${name}: <sip:a@b;lr>, "B, \\"C\\" <x>" <sip:d@e>;q=1`,
      `${name.toLowerCase()} : <tel:+1-201-555-0123>`,
    ).get(name);
    expect(value).toMatchObject([
      { uri: { kind: 'sip', user: 'a', params: [{ name: 'lr' }] } },
      { displayName: 'B, "C" <x>', params: [{ name: 'q', value: '1' }] },
      { uri: { kind: 'tel', number: '+1-201-555-0123' } },
    ]);
  });

  it.each(PLAIN)('%s: text as it stands', (name) => {
    expect(read(name, '*;audio, x="y"')).toBe('*;audio, x="y"');
  });

  it('every header of the registry stands in a test here', () => {
    const tested = new Set<string>([...EXAMPLES.map(([name]) => name), ...ADDRESS, ...ADDRESSES, ...PLAIN]);
    expect(
      Object.keys(CODECS).filter(
        (name) => !tested.has(name) && name !== 'Content-Length' && name !== 'Request-Disposition',
      ),
    ).toEqual([]);
  });
});

describe('RFC 3261 §7.3.3: compact forms and names', () => {
  it.each([
    ['a', 'Accept-Contact'],
    ['b', 'Referred-By'],
    ['c', 'Content-Type'],
    ['d', 'Request-Disposition'],
    ['e', 'Content-Encoding'],
    ['f', 'From'],
    ['i', 'Call-ID'],
    ['j', 'Reject-Contact'],
    ['k', 'Supported'],
    ['l', 'Content-Length'],
    ['m', 'Contact'],
    ['n', 'Identity-Info'],
    ['o', 'Event'],
    ['r', 'Refer-To'],
    ['s', 'Subject'],
    ['t', 'To'],
    ['u', 'Allow-Events'],
    ['v', 'Via'],
    ['x', 'Session-Expires'],
    ['y', 'Identity'],
  ])('%s is %s', (compact, name) => {
    expect(canonicalName(compact)).toBe(name);
    expect(canonicalName(compact.toUpperCase())).toBe(name);
    expect(headersFrom(`${compact}: 1`).raw(name)).toEqual(['1']);
    expect(headersFrom(`${name}: 1`).raw(compact)).toEqual(['1']);
  });

  it('names are found whatever their case, and printed in canonical form', () => {
    const message = parseMessage(Buffer.from('SIP/2.0 200 OK\r\ncAlL-iD : a@b\r\nX-fOO:\tbar\r\n\r\n'));
    expect(message.callId).toBe('a@b');
    expect(message.headers.first('x-foo')).toBe('bar');
    expect(Buffer.from(printMessage(message)).toString()).toBe(
      'SIP/2.0 200 OK\r\nCall-ID: a@b\r\nX-fOO: bar\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('a hash says which codec, and no two headers share one', () => {
    for (const codec of Object.values(CODECS)) {
      expect(codecByHash(nameHash(codec.name.toUpperCase()))).toBe(codec);
      expect(codecOf(codec.name.toLowerCase())).toBe(codec);
    }
  });

  it('another name with the same hash is another header', () => {
    const twin = twinOf('Contact');
    expect(nameHash(twin)).toBe(nameHash('Contact'));
    const headers = headersFrom(`${twin}: <sip:a@b>`, 'Contact: <sip:c@d>');
    expect(headers.get('Contact')).toMatchObject([{ uri: { user: 'c' } }]);
    expect(headers.raw(twin)).toEqual(['<sip:a@b>']);
    expect([...headers.entries()].map(([name]) => name)).toEqual([twin, 'Contact']);
  });
});

/** A token of the same length and hash: one character goes up by a step, the next down by 31 times as much. */
function twinOf(name: string): string {
  const last = name.toLowerCase().charCodeAt(name.length - 1);
  const before = name.toLowerCase().charCodeAt(name.length - 2);
  for (let step = -3; step <= 3; step++) {
    const text = name.slice(0, -2) + String.fromCharCode(before + step, last - 31 * step);
    if (step !== 0 && /^[\w!%*+.`'~-]+$/.test(text) && nameHash(text) === nameHash(name)) return text;
  }
  throw new Error('no twin');
}

describe('faults are found on first use and name the header', () => {
  it.each<readonly [HeaderName, string]>([
    ['CSeq', '1'],
    ['CSeq', '4294967296 INVITE'],
    ['CSeq', '2147483648 INVITE'],
    ['CSeq', '-1 INVITE'],
    ['Max-Forwards', '256'],
    ['Max-Forwards', 'abc'],
    ['Content-Length', '-999'],
    ['Expires', '1.5'],
    ['Expires', '4294967296'],
    ['Via', 'SIP/2.0/UDP'],
    ['Via', 'SIP/2.0/UDP host:0'],
    ['Via', 'SIP/2.0/UDP host:70000'],
    ['Via', 'SIP/2.0/UDP host;;branch=x'],
    ['Via', ''],
    ['From', ''],
    ['From', '"unterminated <sip:a@b>'],
    ['From', 'Bell, Alexander <sip:a@b>'],
    ['From', '<sip:a@b'],
    ['From', '<>'],
    ['From', '<sip:a@b>;tag='],
    ['To', '<sip:a@b> garbage'],
    ['Contact', '*, <sip:a@b>'],
    ['Contact', '<sip:a@b>,,<sip:c@d>'],
    ['Contact', 'sip:a@b?x=y'],
    ['Call-ID', 'a b'],
    ['Call-ID', ''],
    ['Content-Type', 'application'],
    ['RAck', '1 2'],
    ['Replaces', 'a@b;to-tag=1'],
    ['Retry-After', '120 (open'],
    ['Warning', '399 host text'],
    ['Date', 'Fri, 01 Jan 2010 16:00:00 EST'],
    ['Refer-Sub', 'maybe'],
    ['WWW-Authenticate', 'Digest'],
    ['Reason', ';cause=1'],
    ['Alert-Info', 'http://no.brackets'],
  ])('%s: %s', (name, text) => {
    const headers = headersFrom(`${name}: ${text}`);
    expect(() => headers.get(name)).toThrow(SipParseError);
    try {
      headers.get(name);
    } catch (error) {
      expect(error).toMatchObject({ code: 'SIP_PARSE', kind: 'remote', status: 400, header: name });
      expect((error as SipParseError).offset).toBeLessThanOrEqual(text.length);
    }
    expect(headers.raw(name)).toEqual([text]);
  });

  it.each<HeaderName>([
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Max-Forwards',
    'Content-Length',
    'Content-Type',
    'Expires',
    'Event',
  ])('%s stands once', (name) => {
    const text = name === 'CSeq' ? '1 A' : name === 'Content-Type' ? 'a/b' : name.length < 5 ? '<sip:a@b>' : '1';
    const headers = headersFrom(`${name}: ${text}`, `${name}: ${text}`);
    expect(() => headers.get(name)).toThrow(/more than once/);
  });
});
