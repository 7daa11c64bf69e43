import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, type HeaderName } from '../../../src/protocol/sip/header/registry.js';
import type { SipMessage } from '../../../src/protocol/sip/message.js';
import { parseNameAddr } from '../../../src/protocol/sip/name-addr.js';
import { parseMessage, partialRequest, SipParseError } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { responseTo } from '../../../src/protocol/sip/respond.js';
import { parseUri } from '../../../src/protocol/sip/uri.js';
import { checkRequest, checkResponse } from '../../../src/protocol/sip/validate.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { corpusAbsent, expectations, vector } from './corpus.js';

const HEADERS = Object.keys(CODECS) as HeaderName[];

const INVITE = Buffer.from(
  [
    'INVITE sip:bob@biloxi.example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK74bf9a1c;rport, SIP/2.0/TCP [2001:db8::1];received="x\\"y"',
    'Max-Forwards: 70',
    'From: "Alice \u00e9" <sip:alice@atlanta.example.com?a=b>;tag=9fxced76sl',
    't: Bob <tel:+1-201-555-0123;ext=1>',
    'Call-ID: 3848276298220188511@atlanta.example.com',
    'CSeq: 1 INVITE',
    'm: <sip:alice@192.0.2.101:5060;transport=udp>;+sip.instance="<urn:uuid:x>", sip:b@c;q=0.5',
    'Authorization: Digest username="a", realm="b, c", nonce="d\\\\", uri="sip:e", response="f", nc=00000001',
    'Subject: folded',
    '  text',
    'Content-Type: application/sdp',
    'Content-Length: 5',
    '',
    'v=0\r\n',
  ].join('\r\n'),
);

/** Uses a message as the floors above do; nothing but a SipParseError may come out. Returns what it prints to, if it is sound. */
function exercise(message: SipMessage): Uint8Array {
  for (const name of HEADERS) {
    try {
      message.headers.get(name);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
    }
  }
  const fault = message.kind === 'request' ? checkRequest(message, { datagram: true }) : checkResponse(message);
  if (message.kind === 'request') {
    const response = parseMessage(printMessage(responseTo(message, fault?.status ?? 200, { toTag: 'x' })));
    if (fault?.answerable !== false && message.method !== 'ACK') expect(response.topVia.host).not.toBe('');
  }
  message.bodyText();
  return printMessage(message);
}

/** Clean message or SipParseError, and a message that was read is printed and read again to the same bytes. */
function survive(bytes: Uint8Array): boolean {
  try {
    const once = exercise(parseMessage(bytes));
    const twice = exercise(parseMessage(once));
    expect(Buffer.from(twice).equals(Buffer.from(once))).toBe(true);
    return true;
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
    const partial = partialRequest(error);
    if (partial !== undefined) parseMessage(printMessage(responseTo(partial, error.status)));
    return false;
  }
}

describe('any bytes give a clean message or a SipParseError', () => {
  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void survive(bytes)),
      { numRuns: 300 },
    );
  });

  it('random header values', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      '\\',
      ';',
      ',',
      '=',
      ':',
      '@',
      '?',
      '&',
      '%',
      '%41',
      '%zz',
      ' ',
      '\t',
      '\r\n ',
      '\r',
      '\0',
      '\u00e9',
      '*',
      '(',
      ')',
      '/',
      '[',
      ']',
      'sip:',
      'tel:',
      'sips:',
      'a',
      'SIP/2.0/UDP ',
      'Digest ',
      '1',
      '4294967296',
      'tag',
      '::1',
      'Mon, ',
      '127.0.0.1',
      '-',
    );
    const value = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...HEADERS, 'X-Foo', 'v', 'f', 'm'), value), { maxLength: 6 }),
        (lines) => {
          const text = lines.map(([name, content]) => `${name}: ${content}\r\n`).join('');
          survive(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${text}\r\n`));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('random text given to the parsers of URIs and addresses', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .string({
          unit: fc.constantFrom(
            's',
            'i',
            'p',
            ':',
            '@',
            '<',
            '>',
            ';',
            '=',
            '[',
            ']',
            '%',
            '"',
            '\\',
            '?',
            '&',
            '\u4e2d',
          ),
        })
        .map((rest) => `sip:${rest}`),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const parse of [parseUri, parseNameAddr]) {
          try {
            parse(input);
          } catch (error) {
            expect(error).toBeInstanceOf(SipParseError);
          }
        }
      }),
    );
  });

  it('seeded mutations of a whole INVITE', () => {
    expect(mutate(INVITE, 400, 1)).toBeGreaterThan(50);
  });

  it.skipIf(corpusAbsent !== undefined)('seeded mutations of the RFC 4475 and 5118 messages', () => {
    let read = 0;
    for (const [i, { file }] of expectations().entries()) read += mutate(vector(file), 30, 100 + i);
    expect(read).toBeGreaterThan(100);
  });

  it.skipIf(corpusAbsent !== undefined)('test.dat of the corpus does no harm', () => {
    survive(vector('rfc4475/test.dat'));
  });

  it('every beginning of a message', () => {
    for (let length = 0; length <= INVITE.length; length++) survive(INVITE.subarray(0, length));
  });
});

/** How many of the mutants could be read. */
function mutate(original: Uint8Array, count: number, seed: number): number {
  const random = new SeededRandom(seed);
  const next = (below: number) => random.integer(below);
  const special = Buffer.from('\r\n\t \0"\\<>;:,=@[]%?&\xff\x80(', 'latin1');
  let read = 0;
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.from(original);
    for (let change = next(4); change >= 0; change--) {
      const at = next(bytes.length);
      const kind = next(3);
      if (kind === 0) bytes[at] = special[next(special.length)] as number;
      else if (kind === 1) bytes[at] = next(256);
      else bytes.copy(bytes, at, next(bytes.length), bytes.length);
    }
    if (survive(bytes)) read++;
  }
  return read;
}

describe('no header costs more than linear time', () => {
  const cases: readonly (readonly [string, (size: number) => string])[] = [
    ['commas', (size) => ','.repeat(size)],
    ['semicolons', (size) => `<sip:a@b>${';'.repeat(size)}`],
    ['quotes', (size) => '"'.repeat(size)],
    ['escaped quotes', (size) => `"${'\\"'.repeat(size / 2)}`],
    ['open brackets', (size) => '<'.repeat(size)],
    ['parameters', (size) => `<sip:a@b>${';a=b'.repeat(size / 4)}`],
    ['URI parameters', (size) => `<sip:a@b${';a=b'.repeat(size / 4)}>`],
    ['addresses', (size) => `<sip:a@b>${',<sip:b>'.repeat(size / 8)}`],
    ['addresses without brackets', (size) => `sip:b${',sip:b'.repeat(size / 6)}`],
    ['Via values', (size) => `SIP/2.0/UDP a${',SIP/2.0/UDP a'.repeat(size / 14)}`],
    ['tokens', (size) => `a${',a'.repeat(size / 2)}`],
    ['spaces', (size) => `a${' '.repeat(size)}b`],
    ['folds', (size) => `a${'\r\n '.repeat(size / 3)}b`],
    ['carriage returns', (size) => '\r'.repeat(size)],
    ['escapes', (size) => `<sip:${'%41'.repeat(size / 3)}@b>`],
    ['comments', (size) => `1 ${'('.repeat(size)}`],
    ['authentication', (size) => `Digest a=b${',a="b"'.repeat(size / 6)}`],
    ['beyond ASCII', (size) => `"${'\u00e9'.repeat(size / 2)}" <sip:a@b>`],
  ];

  const names = [
    'Via',
    'From',
    'Contact',
    'Route',
    'Allow',
    'Authorization',
    'Retry-After',
    'Reason',
    'Subject',
    'Warning',
  ] as const;

  /** Reads the value in each of the headers, the wrong ones too; the number of headers that were read to the end. */
  function readEverywhere(value: string): number {
    for (const name of names) {
      const { headers } = parseMessage(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${name}: ${value}\r\n\r\n`), {
        maxHeadBytes: 4_000_000,
        maxHeaderLineBytes: 4_000_000,
      });
      try {
        headers.get(name);
      } catch (error) {
        if (!(error instanceof SipParseError)) throw error;
      }
      headers.raw(name);
    }
    return names.length;
  }

  // A million and a half characters: milliseconds where the cost is linear, many minutes where it is quadratic: no clock is needed to tell them
  // apart, only the time limit of every test.
  it.each(cases)('%s', (_what, make) => {
    expect(readEverywhere(make(1_500_000))).toBe(names.length);
  });

  it('256 header lines of every kind', () => {
    const lines = Array.from({ length: 255 }, (_, i) => `${HEADERS[i % HEADERS.length]}: ${',;"<'.repeat(40)}`);
    const before = process.cpuUsage();
    survive(Buffer.from(['OPTIONS sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n')));
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});
