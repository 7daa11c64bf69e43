import { skipClass, trim, VALUE } from '../chars.js';
import type { Scanner } from '../scanner.js';
import { commaList, type HeaderCodec, list, single, whole } from './codec.js';

/** A header that is free text (Subject, Server, …). */
export function text(name: string, compact?: string): HeaderCodec<string> {
  return single(name, trim, String, compact);
}

/** A header that is one token (Priority, SIP-ETag, …). */
export function token(name: string): HeaderCodec<string> {
  return single(
    name,
    whole((scanner) => scanner.token('a token')),
    String,
  );
}

/** A header that is a list of tokens, which may be empty (Allow, Supported, …). */
export function tokens(name: string, compact?: string): HeaderCodec<readonly string[]> {
  return list(
    name,
    commaList((scanner) => scanner.token('a token'), true),
    String,
    compact,
  );
}

/** One callid: a word, or two with `@` between (RFC 3261 §25.1), as one text without white space. */
function callId(scanner: Scanner): string {
  const { text } = scanner;
  const start = scanner.pos;
  let end = start;
  // word also allows " < > which VALUE leaves out.
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === 0x22 || code === 0x3c || code === 0x3e) continue;
    const next = skipClass(text, end, end + 1, VALUE);
    if (next === end) break;
  }
  if (end === start) scanner.fail('a Call-ID');
  scanner.pos = end;
  return text.slice(start, end);
}

export const callIdCodec = single<string>('Call-ID', whole(callId), String, 'i');
export const inReplyToCodec = list('In-Reply-To', commaList(callId), String);

/** Privacy (RFC 3323 §4.2): values with semicolons between, each a token. */
export const privacyCodec = single<readonly string[]>(
  'Privacy',
  whole((scanner) => {
    const values = [];
    do values.push(scanner.token('a privacy value'));
    while (scanner.accept(0x3b));
    return values;
  }),
  (values) => values.join(';'),
);
