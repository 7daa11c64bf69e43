import { UsageError } from '../../base/errors.js';
import { CLASS } from './chars.js';
import { checkLine, encodeWire, withoutNul } from './wire-text.js';

/**
 * How many bytes `print` and `format…` can write: as many as the parser accepts as a head by default, and some more, because
 * an answer repeats headers of the request and writes their names in full.
 */
export const OUTPUT_BYTES = 72 * 1024;

const WORD_BYTES = 4;

/**
 * Where all writing goes before it is copied out. One constant buffer, because the compiler then knows its address and length,
 * which halves the price of a store. It holds nothing between two calls: whoever writes begins, reads and leaves in one go.
 */
const OUTPUT = Buffer.allocUnsafeSlow(OUTPUT_BYTES + WORD_BYTES);
const OUTPUT_WORDS = new DataView(OUTPUT.buffer);

// A constant of this module, because the compiler folds no constant of another one.
const CLASSES: Uint8Array = CLASS;

/**
 * The writers of this folder are functions `(pos, value) → pos behind what was written`.
 *
 * They do not look for the end of the buffer: a store beyond it is ignored by JavaScript, and whoever began compares the last
 * position with `OUTPUT_BYTES`. Short pieces are copied character by character, which is no dearer than joining strings
 * and makes the check for line breaks free.
 */
export type Put<T> = (pos: number, value: T) => number;

/** One ASCII character. */
export function putCode(pos: number, code: number): number {
  OUTPUT[pos] = code;
  return pos + 1;
}

/**
 * Ordinary text, as UTF-8. NUL is left out.
 * @throws UsageError PBX_INVALID_ARGUMENT when it holds CR or LF: nothing that a program hands over may begin a new line.
 */
export function putText(pos: number, text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if ((code - 0x0e) >>> 0 > 0x71) return putUnusual(pos + i, text.slice(i));
    OUTPUT[pos + i] = code;
  }
  return pos + length;
}

function putUnusual(pos: number, text: string): number {
  checkLine(text, 'text');
  return putWire(pos, encodeWire(withoutNul(text)));
}

/** Text of one character class; -1 when another character is in it. */
export function putClass(pos: number, text: string, bits: number): number {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || ((CLASSES[code] as number) & bits) === 0) return -1;
    OUTPUT[pos + i] = code;
  }
  return pos + length;
}

/** Wire text (one character per byte) that is known to be sound. */
export function putWire(pos: number, text: string): number {
  const { length } = text;
  if (length > 32 && pos + length <= OUTPUT_BYTES) return pos + OUTPUT.write(text, pos, 'latin1');
  for (let i = 0; i < length; i++) OUTPUT[pos + i] = text.charCodeAt(i);
  return pos + length;
}

/** ASCII that the program itself holds, such as the name of a header, ready to be written four bytes at a time. */
export interface Literal {
  readonly length: number;
  /** Little-endian; the last one is filled up with zeros. */
  readonly words: readonly number[];
}

export function literal(text: string): Literal {
  const bytes = Buffer.alloc(Math.ceil(text.length / WORD_BYTES) * WORD_BYTES);
  bytes.write(text, 'latin1');
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += WORD_BYTES) words.push(bytes.readInt32LE(at));
  return { length: text.length, words };
}

/** Writes whole words: what this leaves behind the end is overwritten by what comes next. */
export function putLiteral(pos: number, added: Literal): number {
  const { length, words } = added;
  const end = pos + length;
  // A view of words, unlike an array of bytes, throws for a store beyond its end.
  if (end > OUTPUT_BYTES) return end;
  for (let i = 0; i < words.length; i++) OUTPUT_WORDS.setInt32(pos + WORD_BYTES * i, words[i] as number, true);
  return end;
}

/** A whole number from 0 up, in decimal. */
export function putNumber(pos: number, value: number): number {
  if (!(value >= 0 && value < 100_000 && Math.floor(value) === value)) return putText(pos, String(value));
  const end = pos + (value < 10 ? 1 : value < 100 ? 2 : value < 1_000 ? 3 : value < 10_000 ? 4 : 5);
  let rest = value;
  for (let at = end - 1; at >= pos; at--) {
    const next = (rest / 10) | 0;
    OUTPUT[at] = 0x30 + rest - 10 * next;
    rest = next;
  }
  return end;
}

// Messages share slabs, as small buffers share Node's own pool: only the space that no message has taken yet is written.
const SLAB_BYTES = 16_384;
const LARGEST_SHARED = SLAB_BYTES >> 2;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let taken = 0;

// The start of the output in whole blocks: to copy a view that is there already is cheaper than to make one for each message.
const BLOCK_BYTES = 64;
const BLOCKS: readonly Uint8Array[] = Array.from(
  { length: LARGEST_SHARED / BLOCK_BYTES + 1 },
  (_, count) => new Uint8Array(OUTPUT.buffer, 0, count * BLOCK_BYTES),
);

/** What was written up to `end`, and `body` behind it, as bytes of their own. @throws UsageError when it did not fit. */
export function takeBytes(end: number, body: Uint8Array): Uint8Array {
  checkRoom(end);
  const length = end + body.length;
  if (length > LARGEST_SHARED) {
    const own = Buffer.allocUnsafeSlow(length);
    OUTPUT.copy(own, 0, 0, end);
    own.set(body, end);
    return own;
  }
  if (taken + length + BLOCK_BYTES > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  const start = taken;
  taken += length;
  // Up to a block too much is copied; the body or the next message is written over it.
  slab.set(BLOCKS[Math.ceil(end / BLOCK_BYTES)] as Uint8Array, start);
  if (body.length > 0) slab.set(body, start + end);
  return new Uint8Array(slab.buffer, start, length);
}

/** What `put` writes, as a string. @throws UsageError PBX_INVALID_ARGUMENT as `putText` does, and when it does not fit. */
export function written<T>(put: Put<T>, value: T): string {
  const end = put(0, value);
  checkRoom(end);
  return OUTPUT.toString('utf8', 0, end);
}

function checkRoom(end: number): void {
  if (end > OUTPUT_BYTES) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `found headers of ${end} bytes, expected at most ${OUTPUT_BYTES}`);
  }
}
