import { WavError } from './wav-error.js';

/** What a WAV file says of its samples. */
export interface WavFormat {
  readonly encoding: 'pcm' | 'float' | 'alaw' | 'ulaw';
  /** Of one sample, without padding: pcm 1…64, float 32 or 64, alaw and ulaw 8. */
  readonly bits: number;
  /** Samples a second: 1…768,000. */
  readonly rate: number;
  /** 1…64. */
  readonly channels: number;
}

/** A format, and how its samples lie in the file. */
export interface WavLayout {
  readonly format: WavFormat;
  /** Bytes of one sample. */
  readonly sampleBytes: number;
  /** Bytes of one sample of every channel: the block of the standard. */
  readonly frameBytes: number;
}

/** Sizes from here on mean that the writer could not know: SoX writes this one to a pipe, others 0xFFFFFFFF. */
export const UNKNOWN_SIZE = 0x7ffff000;

/** Bytes of a `fmt ` chunk that are looked at; what follows them is skipped. */
export const LONGEST_FORMAT = 40;
const SHORTEST_FORMAT = 16;

const MOST_CHANNELS = 64;
/** The highest that converters have. */
export const HIGHEST_WAV_RATE = 768_000;

const PCM = 0x0001;
const FLOAT = 0x0003;
const ALAW = 0x0006;
const ULAW = 0x0007;
const EXTENSIBLE = 0xfffe;
const NAMES = new Map<number, WavFormat['encoding']>([
  [PCM, 'pcm'],
  [FLOAT, 'float'],
  [ALAW, 'alaw'],
  [ULAW, 'ulaw'],
]);
/** The last 8 bytes of the GUID that stands for a format tag; before them are the tag, 0 and 16. */
const GUID_TAIL = [0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];

/*
 * The fmt chunk (WAVEFORMATEX, WAVEFORMATEXTENSIBLE):
 *
 *  0      2          4        8             12           14        16      18          20        24            40
 * +------+----------+--------+-------------+------------+---------+-------+-----------+---------+-------------+
 * | tag  | channels | rate   | bytes a sec | frameBytes | bits    | extra | validBits | speaker | GUID        |
 * +------+----------+--------+-------------+------------+---------+-------+-----------+---------+-------------+
 */

/**
 * Reads the `fmt ` chunk: the first bytes of it, at least 16 and at most 40. `offset`: where it lies in the file.
 * The bytes a second are not looked at; they follow from the rest, and many files have them wrong.
 * @throws WavError
 */
export function readFormat(chunk: DataView, littleEndian: boolean, offset: number): WavLayout {
  if (chunk.byteLength < SHORTEST_FORMAT) {
    throw new WavError(`a fmt chunk of ${chunk.byteLength} bytes`, `at least ${SHORTEST_FORMAT}`, offset);
  }
  const encoding = encodingOf(chunk, littleEndian, offset);
  const channels = chunk.getUint16(2, littleEndian);
  if (channels < 1 || channels > MOST_CHANNELS) {
    throw new WavError(`${channels} channels`, `1 to ${MOST_CHANNELS}`, offset + 2);
  }
  const rate = chunk.getUint32(4, littleEndian);
  if (rate < 1 || rate > HIGHEST_WAV_RATE) {
    throw new WavError(`${rate} samples a second`, `1 to ${HIGHEST_WAV_RATE}`, offset + 4);
  }
  const bits = chunk.getUint16(14, littleEndian);
  if (!fits(encoding, bits))
    throw new WavError(`${encoding} samples of ${bits} bits`, expectedBits(encoding), offset + 14);
  const sampleBytes = Math.ceil(bits / 8);
  const frameBytes = chunk.getUint16(12, littleEndian);
  if (frameBytes !== sampleBytes * channels) {
    const expected = `${sampleBytes * channels} for ${channels} channels of ${bits} bits`;
    throw new WavError(`blocks of ${frameBytes} bytes`, expected, offset + 12);
  }
  return { format: { encoding, bits, rate, channels }, sampleBytes, frameBytes };
}

function encodingOf(chunk: DataView, littleEndian: boolean, offset: number): WavFormat['encoding'] {
  const tag = chunk.getUint16(0, littleEndian);
  const extensible = tag === EXTENSIBLE;
  if (extensible && chunk.byteLength < LONGEST_FORMAT) {
    throw new WavError(`an extensible fmt chunk of ${chunk.byteLength} bytes`, `${LONGEST_FORMAT}`, offset);
  }
  const standard = !extensible || isStandard(chunk, littleEndian);
  const name = NAMES.get(extensible ? chunk.getUint32(24, littleEndian) : tag);
  if (standard && name !== undefined) return name;
  const found = extensible ? 'another GUID' : `format tag 0x${tag.toString(16).padStart(4, '0')}`;
  throw new WavError(found, 'PCM, IEEE float, A-law or µ-law', offset + (extensible ? 24 : 0));
}

function isStandard(chunk: DataView, littleEndian: boolean): boolean {
  const middle = chunk.getUint16(28, littleEndian) === 0 && chunk.getUint16(30, littleEndian) === 0x10;
  return middle && GUID_TAIL.every((byte, i) => chunk.getUint8(32 + i) === byte);
}

function fits(encoding: WavFormat['encoding'], bits: number): boolean {
  if (encoding === 'pcm') return bits >= 1 && bits <= 64;
  return encoding === 'float' ? bits === 32 || bits === 64 : bits === 8;
}

function expectedBits(encoding: WavFormat['encoding']): string {
  if (encoding === 'pcm') return '1 to 64';
  return encoding === 'float' ? '32 or 64' : '8';
}
