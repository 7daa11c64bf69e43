import { UsageError } from '../../base/errors.js';
import { MOST_ITEMS, RTCP_TYPE, type RtcpBlock, rtcpPacket } from './rtcp-block.js';
import { setWord, word } from './words.js';

/** One thing said of a source. */
export interface SdesItem {
  /** 1 is CNAME; RFC 3550 §6.5 has the others. */
  readonly type: number;
  /** At most 255 bytes of UTF-8. */
  readonly text: string;
}

export interface SdesChunk {
  readonly ssrc: number;
  readonly items: readonly SdesItem[];
}

/** RFC 3550 §6.5. */
export interface SourceDescription {
  readonly kind: 'sdes';
  /** At most 31. */
  readonly chunks: readonly SdesChunk[];
}

/** The canonical name (RFC 3550 §6.5.1): the item that every source must send. */
export const CNAME = 1;

const LONGEST_TEXT = 255;

/** Undefined when the chunks do not fit, or one has no end. */
export function readSdes({ count, body }: RtcpBlock): SourceDescription | undefined {
  const chunks: SdesChunk[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > body.length) return undefined;
    const ssrc = word(body, at);
    const items: SdesItem[] = [];
    at += 4;
    while (body[at] !== 0) {
      const length = body[at + 1];
      if (length === undefined || at + 2 + length > body.length) return undefined;
      const text = Buffer.from(body.subarray(at + 2, at + 2 + length)).toString('utf8');
      items.push({ type: body[at] as number, text });
      at += 2 + length;
    }
    // One null byte or more, up to the next word.
    at = (at + 4) & ~3;
    chunks.push({ ssrc, items });
  }
  return at <= body.length ? { kind: 'sdes', chunks } : undefined;
}

/** @throws UsageError (PBX_INVALID_ARGUMENT) for a text of more than 255 bytes, a type that is none, or more than 31 chunks */
export function writeSdes({ chunks }: SourceDescription): Uint8Array {
  if (chunks.length > MOST_ITEMS) throw invalid(`${chunks.length} chunks, expected at most ${MOST_ITEMS}`);
  const body = Buffer.concat(chunks.map(writeChunk));
  return rtcpPacket(RTCP_TYPE.sdes, chunks.length, body);
}

function writeChunk({ ssrc, items }: SdesChunk): Uint8Array {
  const texts = items.map(({ text }) => Buffer.from(text, 'utf8'));
  const length = texts.reduce((sum, text) => sum + 2 + text.length, 4);
  const chunk = new Uint8Array((length + 4) & ~3);
  setWord(chunk, 0, ssrc);
  let at = 4;
  items.forEach(({ type }, i) => {
    const text = texts[i] as Buffer;
    if (type < 1 || type > 255) throw invalid(`item type ${type}, expected 1 to 255`);
    if (text.length > LONGEST_TEXT) throw invalid(`a text of ${text.length} bytes, expected at most ${LONGEST_TEXT}`);
    chunk[at] = type;
    chunk[at + 1] = text.length;
    chunk.set(text, at + 2);
    at += 2 + text.length;
  });
  return chunk;
}

function invalid(problem: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `RTCP SDES: found ${problem}`);
}
