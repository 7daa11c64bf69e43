import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMediaType } from '../../../src/protocol/sip/header/media-type.js';
import { parseMultipart, printMultipart } from '../../../src/protocol/sip/multipart.js';
import { SipParseError } from '../../../src/protocol/sip/parse.js';

const MIXED = parseMediaType('multipart/mixed;boundary="b 1"');

function body(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'));
}

describe('RFC 2046 §5.1.1, RFC 5621: multipart bodies', () => {
  it('preamble, parts, epilogue', () => {
    const parts = parseMultipart(
      body(
        'preamble --b 1',
        '--b 1',
        'Content-Type: application/sdp',
        'Content-Disposition: session;',
        ' handling=required',
        '',
        'v=0',
        '',
        '--b 1 \t',
        '',
        'plain',
        '--b 1x',
        'more',
        '--b 1--',
        'epilogue',
      ),
      MIXED,
    );
    expect(parts.map((part) => Buffer.from(part.body).toString())).toEqual(['v=0\r\n', 'plain\r\n--b 1x\r\nmore']);
    expect(parts[0]).toMatchObject({
      headers: [
        ['Content-Type', 'application/sdp'],
        ['Content-Disposition', 'session; handling=required'],
      ],
      contentType: { type: 'application', subtype: 'sdp' },
    });
    expect(parts[1]).toMatchObject({ headers: [], contentType: { type: 'text', subtype: 'plain' } });
  });

  it('an empty part', () => {
    expect(parseMultipart(body('--b 1', '', '', '--b 1--'), MIXED)[0]?.body).toHaveLength(0);
    expect(parseMultipart(body('--b 1', '', '--b 1--'), MIXED)[0]?.body).toHaveLength(0);
  });

  it.each([
    ['no boundary', 'multipart/mixed', '--b--'],
    ['no closing boundary', 'multipart/mixed;boundary=b', '--b\r\n\r\nx'],
    ['nothing', 'multipart/mixed;boundary=b', ''],
    ['a line that is no header', 'multipart/mixed;boundary=b', '--b\r\nx\r\n\r\ny\r\n--b--'],
    ['too many parts', 'multipart/mixed;boundary=b', `${'--b\r\n\r\n\r\n'.repeat(65)}--b--`],
  ])('%s is refused', (_what, type, text) => {
    expect(() => parseMultipart(Buffer.from(text), parseMediaType(type))).toThrow(SipParseError);
  });

  it('what is printed is read again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array(), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('x-7k', 'a b?'),
        (bodies, boundary) => {
          const type = parseMediaType('application/octet-stream');
          const printed = printMultipart(
            bodies.map((bytes) => ({ headers: [['Content-ID', '<1@x>']], contentType: type, body: bytes })),
            boundary,
          );
          const parts = parseMultipart(printed.body, printed.contentType);
          expect(parts.map((part) => [...part.body])).toEqual(bodies.map((bytes) => [...bytes]));
          expect(parts.every((part) => part.headers[1]?.[1] === '<1@x>')).toBe(true);
        },
      ),
    );
  });

  it('a boundary that occurs in a part, and a header with a line break, are refused', () => {
    const contentType = parseMediaType('text/plain');
    expect(() => printMultipart([{ contentType, body: Buffer.from('a--b') }], 'b')).toThrow(/occurs/);
    expect(() => printMultipart([{ headers: [['A', 'b\r\nc']], contentType, body: new Uint8Array() }], 'b')).toThrow(
      /CR and LF/,
    );
    expect(() => printMultipart([], 'a\r\nb')).toThrow(/CR and LF/);
  });

  it('any bytes give parts or a SipParseError', () => {
    const noise = fc.array(
      fc.constantFrom('--b', '\r\n', '--', ' ', 'Content-Type: a/b', ':', 'x', '\r\n\r\n', '"', '\0'),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(noise, (pieces) => {
        try {
          parseMultipart(Buffer.from(pieces.join('')), parseMediaType('multipart/mixed;boundary=b'));
        } catch (error) {
          expect(error).toBeInstanceOf(SipParseError);
        }
      }),
    );
  });
});
