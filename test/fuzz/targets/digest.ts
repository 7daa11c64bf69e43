import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../../src/base/errors.js';
import { namedAlgorithm } from '../../../src/protocol/digest/algorithm.js';
import { formatChallenge, parseChallenge } from '../../../src/protocol/digest/challenge.js';
import { digestResponse, equalHex } from '../../../src/protocol/digest/compute.js';
import { DigestParseError, formatCredentials, parseCredentials } from '../../../src/protocol/digest/credentials.js';
import type { AuthValue } from '../../../src/protocol/sip/header/auth.js';
import { readAuthLine } from '../../../src/ua/auth-line.js';
import { sipWords } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, isOneLine, refusedAs, textsOf } from './target.js';

const SEEDS = [
  'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  'Digest username="a\\"b", realm="r", nonce="n", uri="sip:x", response="", algorithm="SHA-256-sess", qop="auth-int", nc="0000000a", cnonce=c',
  'Digest realm="a, b", nonce="x", qop="auth,auth-int", algorithm=SHA-512-256, stale=TRUE, opaque="", domain="sip:a sip:b"',
  'Digest realm=unquoted,nonce=n , Basic realm="c"',
  'Bearer authz_server="https://example.com", error="invalid_token"',
].map((text) => Buffer.from(text));

const WORDS = [
  ...[
    'username=',
    'realm=',
    'nonce=',
    'uri=',
    'response=',
    'cnonce=',
    'nc=',
    'qop=',
    'opaque=',
    'algorithm=',
    'stale=',
  ],
  ...['MD5', 'MD5-sess', 'SHA-256', 'SHA-512-256-sess', 'auth', 'auth-int', 'Digest ', ', ', '""'],
].map((text) => Buffer.from(text));

/** Challenges and credentials: read, written and read again they say the same (RFC 7616 §3.3, §3.4). */
export const digestTarget: FuzzTarget = {
  name: 'digest',
  share: 50,
  material: { seeds: SEEDS, words: [...WORDS, ...WORDS, ...sipWords], lines: false },
  check(input) {
    for (const text of textsOf(input)) {
      for (const value of readAuthLine(text).values) {
        checkChallenge(value);
        checkCredentials(value);
      }
    }
  },
};

function again(text: string): AuthValue {
  hold(isOneLine(text), 'it is printed as one line');
  const [value] = readAuthLine(text).values;
  hold(value !== undefined, 'what was printed can be read');
  return value;
}

function checkChallenge(value: AuthValue): void {
  const challenge = parseChallenge(value);
  if (challenge === undefined) return;
  // What holds control characters, or an algorithm that is no token, is never sent on.
  const text = refusedAs(UsageError, () => formatChallenge(challenge));
  if (text === undefined) return;
  const second = parseChallenge(again(text));
  hold(isDeepStrictEqual(second, challenge), 'a challenge that was printed is read as it was');
}

function checkCredentials(value: AuthValue): void {
  const credentials = refusedAs(DigestParseError, () => parseCredentials(value));
  if (credentials === undefined) return;
  if (namedAlgorithm(credentials.algorithm) !== undefined) {
    const right = digestResponse({ ...credentials, nc: credentials.ncText, ha1: '0'.repeat(32), method: 'INVITE' });
    equalHex(right, credentials.response);
  }
  const text = refusedAs(UsageError, () => formatCredentials(credentials));
  if (text === undefined) return;
  hold(
    isDeepStrictEqual(parseCredentials(again(text)), credentials),
    'credentials that were printed are read as they were',
  );
}
