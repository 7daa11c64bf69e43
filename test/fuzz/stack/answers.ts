import { CODECS, type HeaderName } from '../../../src/protocol/sip/header/registry.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { StreamFramer } from '../../../src/protocol/sip/stream-framer.js';
import { checkRequest, checkResponse } from '../../../src/protocol/sip/validate.js';
import { Broken, hold } from '../targets/target.js';

const HEADERS = Object.keys(CODECS) as HeaderName[];

/**
 * What the PBX sends must be sound: every message can be read, a request and a success in every header, a refusal at least
 * in its framing, because it repeats what it refuses.
 * @throws Broken, SipParseError
 */
export function checkSent(bytes: Uint8Array): void {
  const message = parseMessage(bytes, { maxHeaders: 300, maxHeaderLineBytes: 72 * 1024, maxHeadBytes: 72 * 1024 });
  const fault = message.kind === 'request' ? checkRequest(message, { datagram: true }) : undefined;
  hold(fault === undefined, `a request that we sent is at fault: ${fault?.reason}`);
  if (message.kind === 'response') {
    hold(message.headers.count('Content-Length') === 1, 'a response has one Content-Length');
    if (message.status >= 300) return;
    const wrong = checkResponse(message);
    hold(wrong === undefined, `a success that we sent is at fault: ${wrong?.reason}`);
  }
  for (const name of HEADERS) if (name !== 'Timestamp' && message.headers.has(name)) message.headers.get(name);
}

/** The same for a stream of answers, cut anyhow. */
export class SentStream {
  readonly #framer = new StreamFramer();

  /** @throws Broken, SipParseError */
  push(bytes: Uint8Array): void {
    for (const frame of this.#framer.push(bytes)) {
      if (frame.type === 'message') checkSent(frame.bytes);
      if (frame.type === 'error') throw new Broken(`the stream that we sent cannot be framed: ${frame.error.message}`);
    }
  }
}
