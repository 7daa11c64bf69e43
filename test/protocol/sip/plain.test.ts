import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, type HeaderName } from '../../../src/protocol/sip/header/registry.js';
import { SipParseError } from '../../../src/protocol/sip/parse.js';
import { Scanner } from '../../../src/protocol/sip/scanner.js';

const NAMES = ['Via', 'From', 'To', 'Contact', 'Route', 'Call-ID', 'CSeq'] as const satisfies readonly HeaderName[];
const REFUSED = Symbol('refused');

/** What the whole grammar makes of a value. */
function general(name: HeaderName, value: string): unknown {
  try {
    return CODECS[name].read(Scanner.of(value));
  } catch (error) {
    if (error instanceof SipParseError) return REFUSED;
    throw error;
  }
}

/** What the reader of the usual form makes of it, undefined when it leaves it to the grammar. The value stands in a message. */
function plain(name: HeaderName, value: string): unknown {
  const before = `${name}: `;
  const text = `${before}${value}\r\nX: y\r\n\r\n`;
  return CODECS[name].plain?.(text, Buffer.from(text, 'latin1'), before.length, before.length + value.length);
}

function expectSame(name: HeaderName, value: string): void {
  const found = plain(name, value);
  if (found !== undefined) expect(found, `${name}: ${value}`).toEqual(general(name, value));
}

const token = fc.stringMatching(/^[a-zA-Z0-9.!%*_+`'~-]{1,8}$/);
const host = fc.constantFrom('b', 'biloxi.example.com', '192.0.2.1', '[2001:db8::1]', 'my_pbx', '');
const port = fc.constantFrom('', '', ':5060', ':05060', ':0', ':65535', ':65536', ':99999999999', ':', ':5x');
const user = fc.constantFrom('', 'a@', 'a:b@', 'a:12@', 'a;b=c@', '%41@', 'a#@', 'a?b@', '@', 'a@b@');
const value = fc.oneof(token, fc.constantFrom('"q"', 'a=b', '[::1]', 'a%20b', '\u00e9', '', 'x"y'));
const param = fc.oneof(
  token.map((name) => `;${name}`),
  fc.tuple(token, value).map(([name, text]) => `;${name}=${text}`),
  fc.constantFrom(';', '; a=b', ';a =b', ' ;a', ';a= b'),
);
const params = fc.array(param, { maxLength: 4 }).map((list) => list.join(''));
const scheme = fc.constantFrom('sip:', 'sips:', 'SIP:', 'Sips:', 'tel:', 'sip', 'urn:');
const query = fc.constantFrom('', '', '', '?a=b', '?');
const uri = fc.tuple(scheme, user, host, port, params, query).map((parts) => parts.join(''));
const display = fc.constantFrom(
  '',
  '"Al ice" ',
  '"A"',
  'Al ice ',
  'A',
  '"a\\"b" ',
  '"\u00e9" ',
  '"a',
  'a:b',
  'a\t',
  '"" ',
);
const address = fc.tuple(display, uri, params).map(([name, text, rest]) => `${name}<${text}>${rest}`);
const via = fc
  .tuple(
    fc.constantFrom('SIP/2.0/', 'SIP / 2.0 / ', 'sip/2.0/', 'SIP/2.0'),
    token,
    fc.constantFrom(' ', '  ', ''),
    host,
    port,
    params,
  )
  .map((parts) => parts.join(''));
const cseq = fc
  .tuple(
    fc.constantFrom('0', '1', '007', '2147483647', '2147483648', '99999999999999999999', ''),
    fc.constantFrom(' ', '\t', '  ', ''),
    token,
  )
  .map((parts) => parts.join(''));
const callId = fc.tuple(token, fc.constantFrom('', '@b', '<"x">', ' y', ',', '\u00e9')).map((parts) => parts.join(''));

/** Adds a character, takes one away, changes one, or leaves the text as it is. */
const mutated = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(texts, fc.nat(), fc.constantFrom('', '', ...' \t\r\0"\\%@:;,=<>?[]x1\u00e9'), fc.boolean())
    .map(([text, at, character, instead]) => {
      const pos = at % (text.length + 1);
      return text.slice(0, pos) + character + text.slice(character !== '' && instead ? pos + 1 : pos);
    });

describe('RFC 3261 §25.1: the usual form of a header is read as the whole grammar reads it', () => {
  it.each<readonly [HeaderName, fc.Arbitrary<string>]>([
    ['Via', via],
    ['From', address],
    ['To', address],
    ['Contact', address],
    ['Route', address],
    ['Call-ID', callId],
    ['CSeq', cseq],
  ])('%s', (name, texts) => {
    fc.assert(
      fc.property(mutated(texts), (text) => expectSame(name, text)),
      { numRuns: 2_000 },
    );
  });

  it.each<readonly [HeaderName, string]>([
    ['Via', 'SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK74bf9a1c;rport;received=192.0.2.1'],
    ['Via', 'SIP/2.0/TCP biloxi.example.com'],
    ['From', '"Alice" <sip:alice@atlanta.example.com>;tag=9fxced76sl'],
    ['To', 'Bob B <sips:bob@biloxi.example.com:5061;transport=tcp;lr>'],
    ['Contact', '<sip:192.0.2.101:5060>;expires=60;q=0.5'],
    ['Route', '<sip:proxy.example.com;lr>'],
    ['Call-ID', '3848276298220188511@atlanta.example.com'],
    ['CSeq', '2147483647 INVITE'],
  ])('%s: %s is usual', (name, text) => {
    expect(plain(name, text)).toEqual(general(name, text));
    expect(plain(name, text)).toBeDefined();
  });

  it.each(NAMES)('%s: nothing behind the value is read', (name) => {
    for (const text of ['', '<sip:a@b', '"a', 'SIP/2.0/UDP', '1', '1 ']) {
      const found = plain(name, text);
      if (found !== undefined) expect(found).toEqual(general(name, text));
    }
  });
});
