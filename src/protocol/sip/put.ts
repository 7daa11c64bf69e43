import { UsageError } from '../../base/errors.js';
import { CLASS } from './chars.js';
import { checkLine, withoutNul } from './wire-text.js';

/** How many bytes `print` and `format…` can write: as many as the parser accepts as a head by default. */
export const OUTPUT_BYTES = 65_536;

/**
 * Where all writing goes before it is copied out. One constant buffer, because the compiler then knows its address and length,
 * which halves the price of a store. It holds nothing between two calls: whoever writes begins, reads and leaves in one go.
 */
const OUTPUT = Buffer.allocUnsafeSlow(OUTPUT_BYTES);

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
  return putBytes(pos, Buffer.from(withoutNul(text), 'utf8'));
}

/** Text of one character class; -1 when another character is in it. */
export function putClass(pos: number, text: string, bits: number): number {
  const { length } = text;
  const classes = CLASS;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || ((classes[code] as number) & bits) === 0) return -1;
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

/** Bytes as they are. */
export function putBytes(pos: number, added: Uint8Array): number {
  const { length } = added;
  for (let i = 0; i < length; i++) OUTPUT[pos + i] = added[i] as number;
  return pos + length;
}

/** A whole number from 0 up, in decimal. */
export function putNumber(pos: number, value: number): number {
  if (!(value >= 0 && value < 100_000 && Math.floor(value) === value)) return putText(pos, String(value));
  let end = pos + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
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
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let taken = 0;

/** What was written up to `end`, and `body` behind it, as bytes of their own. @throws UsageError when it did not fit. */
export function takeBytes(end: number, body: Uint8Array): Uint8Array {
  checkRoom(end);
  const length = end + body.length;
  if (length > SLAB_BYTES >> 2) {
    const own = Buffer.allocUnsafeSlow(length);
    OUTPUT.copy(own, 0, 0, end);
    own.set(body, end);
    return own;
  }
  if (taken + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  const start = taken;
  taken += length;
  OUTPUT.copy(slab, start, 0, end);
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
