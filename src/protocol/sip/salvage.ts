import { salvageVia, type Via, viaCodec } from './header/via.js';
import type { PartialMessage } from './parse-error.js';
import { SipParseError } from './parse-error.js';
import { Scanner } from './scanner.js';

/**
 * The top Via of a message that may be malformed: whole if it is sound, without its parameters if only its sent-by is readable
 * (RFC 4475 §3.1.2.1 expects an answer to such a request), undefined if an answer would have no way to go.
 */
export function salvageTopVia(headers: PartialMessage['headers']): Via | undefined {
  const [text] = headers.wire('Via');
  if (text === undefined) return undefined;
  return attempt(() => viaCodec.read(Scanner.of(text))[0]) ?? attempt(() => salvageVia(Scanner.of(text)));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipParseError) return undefined;
    throw error;
  }
}
