import { UsageError } from '../../base/errors.js';
import { HIGHEST_WAV_RATE, UNKNOWN_SIZE } from './wav-format.js';

/** What a WAV file will hold. */
export interface WavWriterOptions {
  /** `pcm` has 16 bits a sample, the others 8. */
  readonly encoding: 'pcm' | 'alaw' | 'ulaw';
  /** Samples a second; default 8,000. */
  readonly rate?: number;
  /** Default 1. With 2 each sample of the left channel is followed by that of the right. */
  readonly channels?: 1 | 2;
}

/** What to do to a file whose last samples have been written, so that its header is true. */
export interface WavCompletion {
  /** To be written at `offset` of the file. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** To be appended first: one byte if the samples have an odd length (chunks of a RIFF file are even), else none. */
  readonly padding: Uint8Array;
}

const TAGS = { pcm: 1, alaw: 6, ulaw: 7 } as const;
const LARGEST_SIZE = 0xffffffff;
/** A header is written anew from here on: before it is only the name RIFF. */
const SIZES_FROM = 4;

/**
 * The header of a WAV file that is still to be written: the samples follow it. Until `completeWav` its sizes say that
 * they are not known, and readers take what there is: the file of a recorder that was killed can be played.
 * @throws UsageError (PBX_INVALID_ARGUMENT) for a rate that is not whole, or not from 1 to 768,000
 */
export function wavHeader(options: WavWriterOptions): Uint8Array {
  return header(options, undefined);
}

/**
 * What makes the header true, after `dataBytes` bytes of samples. It may be applied several times while the file grows.
 * Sizes above 4 GB cannot be written: they become 0xFFFFFFFF, which readers take for "to the end".
 * @throws UsageError (PBX_INVALID_ARGUMENT) for a length that is no whole number of samples, and as `wavHeader` does
 */
export function completeWav(options: WavWriterOptions, dataBytes: number): WavCompletion {
  const frame = frameBytes(options);
  if (!Number.isInteger(dataBytes / frame) || dataBytes < 0) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `dataBytes: found ${dataBytes}, expected a multiple of ${frame}`);
  }
  return {
    bytes: header(options, dataBytes).subarray(SIZES_FROM),
    offset: SIZES_FROM,
    padding: new Uint8Array(dataBytes % 2),
  };
}

/*
 * RIFF size WAVE | "fmt " 16 or 18, tag channels rate bytesASecond frameBytes bits [0] | ["fact" 4 frames] | "data" size
 *
 * What is not PCM has the longer fmt chunk, and a fact chunk with the number of samples.
 */
function header(options: WavWriterOptions, dataBytes: number | undefined): Uint8Array {
  const { encoding, rate = 8_000, channels = 1 } = options;
  if (!Number.isInteger(rate) || rate < 1 || rate > HIGHEST_WAV_RATE) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `rate: found ${rate}, expected a whole number from 1 to ${HIGHEST_WAV_RATE}`,
    );
  }
  const plain = encoding === 'pcm';
  const frame = frameBytes(options);
  const length = plain ? 44 : 58;
  const fill = new HeaderWriter(length);
  fill.name('RIFF');
  fill.word32(dataBytes === undefined ? UNKNOWN_SIZE : length - 8 + dataBytes + (dataBytes % 2));
  fill.name('WAVEfmt ');
  fill.word32(plain ? 16 : 18);
  fill.word16(TAGS[encoding]);
  fill.word16(channels);
  fill.word32(rate);
  fill.word32(rate * frame);
  fill.word16(frame);
  fill.word16(plain ? 16 : 8);
  if (!plain) {
    fill.word16(0);
    fill.name('fact');
    fill.word32(4);
    fill.word32(dataBytes === undefined ? Math.floor(UNKNOWN_SIZE / frame) : dataBytes / frame);
  }
  fill.name('data');
  fill.word32(dataBytes ?? UNKNOWN_SIZE);
  return fill.bytes;
}

function frameBytes({ encoding, channels = 1 }: WavWriterOptions): number {
  return (encoding === 'pcm' ? 2 : 1) * channels;
}

/** Little-endian fields, one after the other. */
class HeaderWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    const buffer = new ArrayBuffer(length);
    this.bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  name(text: string): void {
    for (const letter of text) this.#view.setUint8(this.#at++, letter.charCodeAt(0));
  }

  word16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  word32(value: number): void {
    this.#view.setUint32(this.#at, Math.min(value, LARGEST_SIZE), true);
    this.#at += 4;
  }
}
