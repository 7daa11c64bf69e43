import { type AuthValue, auth } from '../protocol/sip/header/auth.js';
import type { SipHeaders } from '../protocol/sip/headers.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import { Scanner } from '../protocol/sip/scanner.js';

const codec = auth('Authorization');
const NO_LINES: readonly AuthLine[] = [];

/** What one line of an authentication header holds. */
export interface AuthLine {
  readonly values: readonly AuthValue[];
  /** Set if the line calls itself Digest and cannot be read. */
  readonly fault?: SipParseError;
}

/** Every line of Authorization or Proxy-Authorization. */
export function readAuthLines(headers: SipHeaders, name: 'Authorization' | 'Proxy-Authorization'): readonly AuthLine[] {
  if (!headers.has(name)) return NO_LINES;
  try {
    // Where it stands, which is cheaper: requests have one line with credentials mostly, and it can be read.
    if (headers.count(name) === 1) return [{ values: headers.get(name) ?? [] }];
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
  }
  return headers.raw(name).map(readAuthLine);
}

/**
 * Reads one line of any of the four authentication headers by itself, so that a scheme whose grammar we do not know
 * (`Bearer …`, RFC 8898) neither spoils the other lines nor counts as a fault: it must be ignored (RFC 8760 §2.4).
 */
export function readAuthLine(text: string): AuthLine {
  try {
    return { values: codec.read(Scanner.of(text)) };
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
    return isDigest(text) ? { values: [], fault: error } : { values: [] };
  }
}

function isDigest(text: string): boolean {
  return /^digest(?:\s|$)/i.test(text.slice(0, 32).trimStart());
}
