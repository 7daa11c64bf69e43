import { UsageError } from '../../base/errors.js';
import { MOST_ITEMS, RTCP_TYPE, type RtcpBlock, rtcpPacket } from './rtcp-block.js';
import { setWord, word } from './words.js';

/** Sources that leave (RFC 3550 §6.6). */
export interface Goodbye {
  readonly kind: 'bye';
  /** At most 31. */
  readonly ssrcs: readonly number[];
  /** At most 255 bytes of UTF-8. */
  readonly reason?: string;
}

/** Undefined when the sources or the reason do not fit. */
export function readBye({ count, body }: RtcpBlock): Goodbye | undefined {
  const at = 4 * count;
  if (at > body.length) return undefined;
  const ssrcs = Array.from({ length: count }, (_, i) => word(body, 4 * i));
  const length = body[at];
  if (length === undefined) return { kind: 'bye', ssrcs };
  if (at + 1 + length > body.length) return undefined;
  const reason = Buffer.from(body.subarray(at + 1, at + 1 + length)).toString('utf8');
  return { kind: 'bye', ssrcs, reason };
}

/** @throws UsageError (PBX_INVALID_ARGUMENT) for a reason of more than 255 bytes, or more than 31 sources */
export function writeBye({ ssrcs, reason }: Goodbye): Uint8Array {
  const text = reason === undefined ? undefined : Buffer.from(reason, 'utf8');
  if (ssrcs.length > MOST_ITEMS || (text?.length ?? 0) > 255) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `RTCP BYE: found ${ssrcs.length} sources and a reason of ${text?.length ?? 0} bytes, expected at most ${MOST_ITEMS} and 255`,
    );
  }
  const body = new Uint8Array(4 * ssrcs.length + (text === undefined ? 0 : (text.length + 4) & ~3));
  ssrcs.forEach((ssrc, i) => setWord(body, 4 * i, ssrc));
  if (text !== undefined) {
    body[4 * ssrcs.length] = text.length;
    body.set(text, 4 * ssrcs.length + 1);
  }
  return rtcpPacket(RTCP_TYPE.bye, ssrcs.length, body);
}
