import { WORD } from '../chars.js';
import { plainCallId } from '../plain.js';
import { putText } from '../put.js';
import type { Scanner } from '../scanner.js';
import { unfold } from '../wire-text.js';
import { commaList, type HeaderCodec, singleTextList, textList, textual, whole } from './codec.js';

function readToken(scanner: Scanner): string {
  return scanner.token('a token');
}

/** A header that is free text (Subject, Server, …). */
export function text(name: string, compact?: string): HeaderCodec<string> {
  return textual(name, (scanner) => unfold(scanner.text.slice(scanner.pos, scanner.end)).trim(), compact);
}

/** A header that is one token (Priority, SIP-ETag, …). */
export function token(name: string): HeaderCodec<string> {
  return textual(name, whole(readToken));
}

/** A header that is a list of tokens, which may be empty (Allow, Supported, …). */
export function tokens(name: string, compact?: string): HeaderCodec<readonly string[]> {
  return textList(name, commaList(readToken, true), compact);
}

/** One callid: a word, or two with `@` between (RFC 3261 §25.1). */
function readCallId(scanner: Scanner): string {
  return scanner.run(WORD, 'a Call-ID');
}

export const callIdCodec = textual('Call-ID', whole(readCallId), 'i', plainCallId);
export const inReplyToCodec = textList('In-Reply-To', commaList(readCallId));

/** Privacy (RFC 3323 §4.2): values with semicolons between, each a token. */
export const privacyCodec = singleTextList(
  'Privacy',
  whole((scanner) => {
    const values = [scanner.token('a privacy value')];
    while (scanner.accept(0x3b)) values.push(scanner.token('a privacy value'));
    return values;
  }),
  (pos, values) => putText(pos, values.join(';')),
);
