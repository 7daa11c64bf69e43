import { UsageError } from '../../../src/base/errors.js';
import { parseMediaType } from '../../../src/protocol/sip/header/media-type.js';
import { parseMultipart, printMultipart } from '../../../src/protocol/sip/multipart.js';
import { SipParseError } from '../../../src/protocol/sip/parse-error.js';
import { corpusFiles } from '../input/corpora.js';
import { SDP } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const INNER = '--in\r\n\r\nplain\r\n--in--\r\n';

const SEEDS = [
  `multipart/mixed;boundary="b 1"\r\n\r\n--b 1\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n${Buffer.from(SDP).toString('latin1')}\r\n--b 1\r\nc: application/isup\r\nX: y\r\n z\r\n\r\n\0\x01\xff\r\n--b 1--\r\nepilogue`,
  `multipart/alternative;boundary=x\r\n\r\npreamble\r\n--x\r\nContent-Type: multipart/mixed;boundary=in\r\n\r\n${INNER}\r\n--x\r\n\r\n\r\n--x--\r\n`,
  ...corpusFiles('rfc4475', 'mpart01.dat').map((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    const boundary = body.slice(2, body.indexOf('\r\n'));
    return `multipart/mixed;boundary=${boundary}\r\n\r\n${body}`;
  }),
].map((text) => Buffer.from(text, 'latin1'));

const WORDS = [
  '--',
  '--x',
  '--x--',
  '--x \t\r\n',
  '\r\n--x\r\n',
  '\r\n\r\n',
  'boundary=',
  'boundary="x"',
  '--in',
  'c:',
].map((text) => Buffer.from(text));

/** Content-Type, an empty line, a body: its parts are found, and joined again they are the same (RFC 2046 §5.1). */
export const multipartTarget: FuzzTarget = {
  name: 'multipart',
  share: 50,
  material: { seeds: SEEDS, words: WORDS, lines: true },
  check(input) {
    const bytes = Buffer.from(input);
    const cut = bytes.indexOf('\r\n\r\n');
    const head = bytes.subarray(0, cut < 0 ? bytes.length : cut).toString('latin1');
    const contentType = refusedAs(SipParseError, () => parseMediaType(head));
    if (contentType === undefined) return;
    const body = cut < 0 ? Buffer.alloc(0) : bytes.subarray(cut + 4);
    const parts = refusedAs(SipParseError, () => parseMultipart(body, contentType));
    if (parts === undefined) return;
    hold(parts.length <= 64, 'no more parts than the limit');
    hold(parts.reduce((sum, part) => sum + part.body.length, 0) <= body.length, 'parts are pieces of the body');
    // A header whose text cannot stand on a line is refused when it is to be written.
    const joined = refusedAs(UsageError, () => printMultipart(parts, 'a-boundary-of-our-own-0123456789'));
    if (joined === undefined) return;
    const again = parseMultipart(joined.body, joined.contentType);
    hold(again.length === parts.length, 'as many parts as before');
    again.forEach((part, i) => {
      hold(Buffer.from(part.body).equals(parts[i]?.body ?? Buffer.alloc(0)), 'each with the same body');
    });
  },
};
