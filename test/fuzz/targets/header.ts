import { isDeepStrictEqual } from 'node:util';
import { type AnyCodec, CODECS } from '../../../src/protocol/sip/header/registry.js';
import { SipHeaders } from '../../../src/protocol/sip/headers.js';
import { createRequest } from '../../../src/protocol/sip/message.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { SipParseError } from '../../../src/protocol/sip/parse-error.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { Scanner } from '../../../src/protocol/sip/scanner.js';
import { OWN_MESSAGES, sipWords } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, isOneLine, refusedAs, textsOf } from './target.js';

const ALL = Object.values(CODECS) as AnyCodec[];

/** So many codecs read each input, not neighbours: the step has no divisor in common with their count. */
const CODECS_EACH = 8;
const STEP = 31;

/** The header values of our own messages. */
const SEEDS: readonly Uint8Array[] = OWN_MESSAGES.flatMap((bytes) =>
  [...parseMessage(bytes).headers.entries()].map(([, value]) => Buffer.from(value)),
);

/** Several codecs over the same text: what one reads, it writes and reads again as the same value. */
export const headerTarget: FuzzTarget = {
  name: 'header',
  share: 110,
  material: { seeds: SEEDS, words: sipWords, lines: false },
  check(input) {
    const first = (input.length * 7 + (input[0] ?? 0)) % ALL.length;
    for (const text of textsOf(input)) {
      // What `parseMessage` hands over is one line; NUL is left out when it is written.
      if (!isOneLine(text)) continue;
      for (let i = 0; i < CODECS_EACH; i++) checkCodec(ALL[(first + i * STEP) % ALL.length] as AnyCodec, text);
    }
  },
};

function checkCodec(codec: AnyCodec, text: string): void {
  const value = refusedAs(SipParseError, () => codec.read(Scanner.of(text)));
  if (value === undefined) return;
  const headers = new SipHeaders([]).assign({ [codec.name]: value as never });
  const bytes = printMessage(createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers }));
  const again = parseMessage(bytes, { maxHeaderLineBytes: 72 * 1024, maxHeadBytes: 72 * 1024 }).headers;
  const names = new Set([...again.entries()].map(([name]) => name));
  names.delete(codec.name);
  names.delete('Content-Length');
  hold(names.size === 0, `${codec.name}: what was written makes no header of its own`);
  if (codec.name === 'Content-Length') return; // `print` writes the true one
  const read = again.get(codec.name as never) as unknown;
  const same = isDeepStrictEqual(read, value) || isEmptyList(value, read);
  hold(same, `${codec.name}: found ${JSON.stringify(read)}, expected ${JSON.stringify(value)}`);
}

/** A list without elements takes no line. */
function isEmptyList(value: unknown, read: unknown): boolean {
  return Array.isArray(value) && value.length === 0 && read === undefined;
}
