import { UsageError } from '../../base/errors.js';

/*
 * A code of ITU-T G.711, bit 7 first. µ-law sends all bits inverted, A-law the even ones (mask 0x55).
 *
 * +---+-----------+---------------+
 * | S |  segment  |   interval    |   S: 1 is positive, before and after inversion of the rest
 * +---+-----------+---------------+
 *
 * A code depends on the upper 14 (µ-law) or 12 (A-law) bits of a sample alone, so the tables are small: 16 and 4 KB.
 * A negative sample is taken by its one's complement, as the ITU-T Software Tool Library does, so that a sample on a
 * decision value falls to the same side for the whole table.
 */
const ULAW_SHIFT = 2;
const ALAW_SHIFT = 4;
/** What µ-law adds to a 14-bit magnitude, so that each segment begins at a power of two. */
const ULAW_BIAS = 33;
const ULAW_LARGEST = 0x1fff;

const ULAW_CODES = codeTable(ULAW_SHIFT, ulawCode);
const ALAW_CODES = codeTable(ALAW_SHIFT, alawCode);
const ULAW_VALUES = valueTable(ulawValue);
const ALAW_VALUES = valueTable(alawValue);

/**
 * The codecs PCMU and PCMA: ITU-T G.711, RFC 3551 §4.5.14. Samples are 16-bit linear, 8 kHz as a rule; one code is one
 * byte. The forms with `Into` allocate nothing: they encode to `out` from `at` on, or decode the codes from `from` to before `to` to the
 * start of `out`. Without the numbers: from the start, and all.
 * @throws UsageError (PBX_INVALID_ARGUMENT) from the `Into` forms, if `out` is shorter than the input
 */
export const G711 = Object.freeze({
  encodeUlaw(pcm: Int16Array): Uint8Array {
    return encoded(pcm, ULAW_CODES, ULAW_SHIFT);
  },
  encodeAlaw(pcm: Int16Array): Uint8Array {
    return encoded(pcm, ALAW_CODES, ALAW_SHIFT);
  },
  decodeUlaw(code: Uint8Array): Int16Array {
    return decoded(code, ULAW_VALUES);
  },
  decodeAlaw(code: Uint8Array): Int16Array {
    return decoded(code, ALAW_VALUES);
  },
  encodeUlawInto(pcm: Int16Array, out: Uint8Array, at = 0): void {
    encode(pcm, out, at, ULAW_CODES, ULAW_SHIFT);
  },
  encodeAlawInto(pcm: Int16Array, out: Uint8Array, at = 0): void {
    encode(pcm, out, at, ALAW_CODES, ALAW_SHIFT);
  },
  decodeUlawInto(code: Uint8Array, out: Int16Array, from = 0, to = code.length): void {
    decode(code, out, from, to, ULAW_VALUES);
  },
  decodeAlawInto(code: Uint8Array, out: Int16Array, from = 0, to = code.length): void {
    decode(code, out, from, to, ALAW_VALUES);
  },
});

function encoded(pcm: Int16Array, codes: Uint8Array, shift: number): Uint8Array {
  const out = new Uint8Array(pcm.length);
  encode(pcm, out, 0, codes, shift);
  return out;
}

function decoded(code: Uint8Array, values: Int16Array): Int16Array {
  const out = new Int16Array(code.length);
  decode(code, out, 0, code.length, values);
  return out;
}

function encode(pcm: Int16Array, out: Uint8Array, at: number, codes: Uint8Array, shift: number): void {
  checkRoom(pcm.length, out.length - at);
  const zero = codes.length >> 1;
  for (let i = 0; i < pcm.length; i++) out[at + i] = codes[zero + ((pcm[i] ?? 0) >> shift)] ?? 0;
}

function decode(code: Uint8Array, out: Int16Array, from: number, to: number, values: Int16Array): void {
  checkRoom(to - from, out.length);
  for (let i = from; i < to; i++) out[i - from] = values[code[i] ?? 0] ?? 0;
}

function checkRoom(needed: number, room: number): void {
  if (room < needed) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `out: found room for ${room} samples, expected at least ${needed}`);
  }
}

function codeTable(shift: number, code: (magnitude: number, positive: boolean) => number): Uint8Array {
  const codes = new Uint8Array(1 << (16 - shift));
  const zero = codes.length >> 1;
  for (let i = 0; i < codes.length; i++) codes[i] = i < zero ? code(zero - 1 - i, false) : code(i - zero, true);
  return codes;
}

function valueTable(value: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_none, code) => value(code));
}

/** Of a 13-bit magnitude. */
function ulawCode(magnitude: number, positive: boolean): number {
  const biased = Math.min(magnitude + ULAW_BIAS, ULAW_LARGEST);
  const segment = 26 - Math.clz32(biased);
  const interval = (biased >> (segment + 1)) & 0x0f;
  const code = ~((segment << 4) | interval) & 0x7f;
  return positive ? code | 0x80 : code;
}

function ulawValue(code: number): number {
  const segment = (~code >> 4) & 0x07;
  const interval = ~code & 0x0f;
  const biased = ((interval << 1) | 0x21) << segment;
  const magnitude = (biased - ULAW_BIAS) << ULAW_SHIFT;
  return code & 0x80 ? magnitude : -magnitude;
}

/** Of an 11-bit magnitude. */
function alawCode(magnitude: number, positive: boolean): number {
  const segment = Math.max(0, 28 - Math.clz32(magnitude));
  const interval = (magnitude >> Math.max(0, segment - 1)) & 0x0f;
  const code = (segment << 4) | interval;
  return (positive ? code | 0x80 : code) ^ 0x55;
}

function alawValue(code: number): number {
  const plain = code ^ 0x55;
  const segment = (plain >> 4) & 0x07;
  const interval = ((plain & 0x0f) << 1) | 1;
  const magnitude = segment === 0 ? interval : (interval | 0x20) << (segment - 1);
  return code & 0x80 ? magnitude << (ALAW_SHIFT - 1) : -(magnitude << (ALAW_SHIFT - 1));
}
