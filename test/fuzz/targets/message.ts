import { isDeepStrictEqual } from 'node:util';
import { CODECS, type HeaderName } from '../../../src/protocol/sip/header/registry.js';
import type { SipMessage } from '../../../src/protocol/sip/message.js';
import { parseMessage, partialRequest, SipParseError } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { responseTo } from '../../../src/protocol/sip/respond.js';
import { checkRequest, checkResponse } from '../../../src/protocol/sip/validate.js';
import { sipSeeds, sipWords } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const HEADERS = Object.keys(CODECS) as HeaderName[];

/** Every typed header that can be read. */
function valuesOf(message: SipMessage): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const present = new Set([...message.headers.entries()].map(([name]) => name));
  for (const name of HEADERS) {
    hold(message.headers.has(name) === present.has(name), `${name} is found by its name`);
    if (!present.has(name)) continue;
    const value = refusedAs(SipParseError, () => message.headers.get(name));
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** Whole messages: read, use every header, print, read again: the same bytes and the same values (RFC 3261 §7, §25). */
export const messageTarget: FuzzTarget = {
  name: 'message',
  share: 180,
  material: { seeds: sipSeeds, words: sipWords, lines: true },
  check(input) {
    let message: SipMessage;
    try {
      message = parseMessage(input);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      const partial = partialRequest(error);
      if (partial !== undefined) checkAnswer(partial, error.status);
      return;
    }
    const values = valuesOf(message);
    for (const [name, value] of message.headers.entries()) {
      hold(!value.includes('\n'), `the value of ${name} is one line`);
    }
    if (message.kind === 'request') {
      refusedAs(SipParseError, () => (message as { readonly uri?: unknown }).uri);
      const fault = checkRequest(message, { datagram: true });
      if (fault?.answerable !== false && message.method !== 'ACK') checkAnswer(message, fault?.status ?? 200);
    } else checkResponse(message);

    const once = Buffer.from(printMessage(message));
    const again = parseMessage(once, LONGER);
    hold(once.equals(printMessage(again)), 'what was printed is read and printed to the same bytes');
    // Two lengths that differ are a fault of the message; printed is the true one.
    values.delete('Content-Length');
    const second = valuesOf(again);
    for (const [name, value] of values) {
      hold(isDeepStrictEqual(second.get(name), value), `${name} is read from what was printed as it was before`);
    }
    if (message.kind === 'request') {
      hold(once.equals(printMessage(message.with({}))), 'a copy is printed to the same bytes');
    }
  },
};

const LONGER = { maxHeaders: 300, maxHeaderLineBytes: 72 * 1024, maxHeadBytes: 72 * 1024, maxStartLineBytes: 9_000 };

/** The answer can be printed and read, and holds no line that we did not write (RFC 3261 §8.2.6). */
function checkAnswer(request: Parameters<typeof responseTo>[0], status: number): void {
  const answer = responseTo(request, status, { toTag: 'fuzz' });
  // It repeats lines that were too long, writes names in full, and has a Content-Length of its own.
  const read = parseMessage(printMessage(answer), LONGER);
  hold(read.kind === 'response' && read.status === status, 'the answer is read as one');
  const allowed = new Set(['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Timestamp', 'Content-Length', 'Record-Route']);
  for (const [name] of read.headers.entries()) hold(allowed.has(name), `the answer holds ${name}`);
}
