import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSdp, printSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { directionOf, isHold, mediaSummary, originOf } from '../../../src/protocol/sdp/media.js';
import { SdpParseError } from '../../../src/protocol/sdp/parse-error.js';
import { NO_CORPUS, rfc4317 } from './corpus.js';

const minimal = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n';
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

function fault(body: string | Uint8Array): SdpParseError {
  try {
    parseSdp(body);
  } catch (error) {
    if (error instanceof SdpParseError) return error;
    throw error;
  }
  throw new Error('parsed, although it should not');
}

describe('RFC 8866 §5 line model', () => {
  test.each([
    ['CRLF', `${minimal}m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n`],
    ['LF', minimal.replaceAll('\r\n', '\n')],
    ['mixed ends', `${minimal}m=audio 4000 RTP/AVP 0\na=x\r\na=y\n`],
    ['no end at the last line', `${minimal}m=audio 4000 RTP/AVP 0`],
    ['blank lines at the end', `${minimal}\r\n\r\n`],
    ['unknown lines and attributes', `${minimal}y=what\r\nm=audio 4000 RTP/AVP 0 \r\na=x-new: a  b\r\ny=\r\n`],
    ['UTF-8 and a space session name', `v=0\r\no=jörg 1 1 IN IP4 a.example\r\ns= \r\ni=ünï\r\nt=0 0\r\n`],
    ['no s= and no t=', 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n'],
  ])('§5: prints the bytes that were parsed: %s', (_, body) => {
    expect(Buffer.from(printSdp(parseSdp(bytes(body)))).equals(bytes(body))).toBe(true);
  });

  test('§4.5: bytes that are no UTF-8 (a=charset) survive', () => {
    const body = Buffer.concat([
      Buffer.from(`${minimal}i=caf`),
      Buffer.from([0xe9]),
      Buffer.from('\r\na=charset:ISO-8859-1\r\n'),
    ]);
    expect(Buffer.from(printSdp(parseSdp(body))).equals(body)).toBe(true);
  });

  test('§5.2: a user name with spaces is taken whole', () => {
    expect(originOf(parseSdp('v=0\no=Jo Do 7 9 IN IP6 2001:db8::1\n'))).toEqual({
      username: 'Jo Do',
      sessionId: '7',
      version: '9',
      netType: 'IN',
      addressType: 'IP6',
      address: '2001:db8::1',
    });
  });

  test.each<[string, string, number, number]>([
    ['empty body', '', 0, 1],
    ['blank first line', `\r\n${minimal}`, 0, 1],
    ['no v= first', 'o=- 1 1 IN IP4 a\r\nv=0\r\n', 0, 1],
    ['another version', 'v=1\r\n', 0, 1],
    ['no o=', 'v=0\r\ns=-\r\n', 10, 2],
    ['two o=', `${minimal}o=- 1 1 IN IP4 a\r\n`, minimal.length, 5],
    ['second description', `${minimal}${minimal}`, minimal.length, 5],
    ['o= after m=', 'v=0\r\nm=audio 1 RTP/AVP 0\r\no=- 1 1 IN IP4 a\r\n', 26, 3],
    ['no equals sign', `${minimal}a:x\r\n`, minimal.length, 5],
    ['space before the equals sign', `${minimal}a =x\r\n`, minimal.length, 5],
    ['blank line between', `${minimal}\r\na=x\r\n`, minimal.length, 5],
    ['lone CR', `${minimal}a=x\ry\r\n`, minimal.length + 3, 5],
    ['NUL', `${minimal}a=\0\r\n`, minimal.length + 2, 5],
    ['m= without port', `${minimal}m=audio RTP/AVP 0\r\n`, minimal.length, 5],
    ['m= port too large', `${minimal}m=audio 65536 RTP/AVP 0\r\n`, minimal.length, 5],
    ['m= without format', `${minimal}m=audio 4000 RTP/AVP\r\n`, minimal.length, 5],
    ['c= too short', `${minimal}c=IN IP4\r\n`, minimal.length, 5],
    ['o= too short', 'v=0\r\no=- 1 IN IP4 a\r\n', 5, 2],
    ['o= version no number', 'v=0\r\no=- 1 x IN IP4 a\r\n', 5, 2],
    ['o= version endless', `v=0\r\no=- 1 ${'9'.repeat(31)} IN IP4 a\r\n`, 5, 2],
  ])('§9: refuses %s with offset and line', (_, body, offset, line) => {
    const error = fault(bytes(body));
    expect({ code: error.code, kind: error.kind, offset: error.offset, line: error.line }).toEqual({
      code: 'SDP_PARSE',
      kind: 'remote',
      offset,
      line,
    });
  });

  test('the offset counts octets, not characters', () => {
    expect(fault(bytes('v=0\r\no=äöü 1 1 IN IP4 a\r\nbroken\r\n')).offset).toBe(
      5 + 'o=äöü 1 1 IN IP4 a\r\n'.length + 3,
    );
  });
});

const files = rfc4317();

describe.skipIf(files.length === 0)(`RFC 4317 bodies${files.length === 0 ? ` (${NO_CORPUS})` : ''}`, () => {
  test.each(files)('$name prints as it was', ({ bytes: body }) => {
    expect(Buffer.from(printSdp(parseSdp(body))).equals(Buffer.from(body))).toBe(true);
  });

  test('mutated bodies parse, or fail with SdpParseError and nothing else', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255), fc.constantFrom('set', 'insert', 'delete', 'cut')), {
          maxLength: 8,
        }),
        ({ bytes: body }, mutations) => {
          let mutant = [...body];
          for (const [place, value, kind] of mutations) {
            const at = place % Math.max(1, mutant.length);
            if (kind === 'set') mutant[at] = value;
            else if (kind === 'insert') mutant.splice(at, 0, value);
            else if (kind === 'delete') mutant.splice(at, 1);
            else mutant = mutant.slice(0, at);
          }
          survives(Uint8Array.from(mutant));
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** Parses; if that works, the bytes come back and no view throws. */
function survives(body: Uint8Array): void {
  let sdp: ReturnType<typeof parseSdp>;
  try {
    sdp = parseSdp(body);
  } catch (error) {
    expect(error).toBeInstanceOf(SdpParseError);
    expect((error as SdpParseError).offset).toBeLessThanOrEqual(body.length);
    return;
  }
  expect(Buffer.from(printSdp(sdp)).equals(Buffer.from(body))).toBe(true);
  expect(parseSdp(sdpText(sdp)).media.length).toBe(sdp.media.length);
  mediaSummary(sdp);
  originOf(sdp);
  directionOf(sdp);
  isHold(sdp);
}

describe('any input', () => {
  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 500 });
  });

  test('random lines', () => {
    const line = fc.tuple(
      fc.constantFrom('v', 'o', 's', 'c', 't', 'm', 'a', 'b', 'z'),
      fc.oneof(
        fc.constantFrom('0', '- 1 1 IN IP4 h', 'IN IP6 ::/3', 'audio 9 RTP/AVP 0 96', 'video 0 RTP/AVP', 'sendonly'),
        fc.constantFrom(
          'rtpmap:96 opus/48000/2',
          'rtpmap:',
          'fmtp:96',
          'rtcp:x',
          'ptime:0',
          'ptime:20',
          'rtpmap:0 a//',
        ),
        fc.string({ maxLength: 12 }),
      ),
      fc.constantFrom('\r\n', '\n', ''),
    );
    const body = fc.array(line, { maxLength: 12 }).map((lines) => lines.map(([t, v, e]) => `${t}=${v}${e}`).join(''));
    fc.assert(
      fc.property(body, (text) => survives(bytes(`v=0\r\no=- 1 1 IN IP4 h\r\n${text}`))),
      { numRuns: 1500 },
    );
  });
});

test('limit: more than 64 streams are refused, because a view of each stream looks through the whole description', () => {
  const body = (streams: number): string => `${minimal}${'m=a 1 RTP/AVP 0\r\n'.repeat(streams)}`;
  expect(parseSdp(body(64)).media).toHaveLength(64);
  expect(fault(body(65)).message).toContain('more than 64 m= lines');
});
