import { G711 } from '../../protocol/audio/g711.js';
import { Resampler } from '../../protocol/audio/resampler.js';
import { WavReader } from '../../protocol/audio/wav-reader.js';
import { type G711Codec, SAMPLE_RATE } from './audio-source.js';
import type { StreamDecoder } from './streamed-source.js';

const NOTHING = new Int16Array(0);

/** The bytes of a WAV file, of any format and rate that `WavReader` takes. */
export class WavDecoder implements StreamDecoder<Uint8Array> {
  readonly #reader = new WavReader();
  #resampler: Resampler | undefined;

  /** @throws WavError, UsageError for a rate that is out of range */
  decode(bytes: Uint8Array): Int16Array {
    const samples = this.#reader.push(bytes);
    const rate = this.#reader.format?.rate;
    if (samples.length === 0 || rate === undefined || rate === SAMPLE_RATE) return samples;
    this.#resampler ??= new Resampler({ from: rate, to: SAMPLE_RATE });
    return this.#resampler.process(samples);
  }

  /** @throws WavError for a file that ended before its samples began */
  end(): Int16Array {
    this.#reader.end();
    return this.#resampler?.flush() ?? NOTHING;
  }
}

/** Raw G.711, 8 kHz mono, a byte a sample. */
export class G711Decoder implements StreamDecoder<Uint8Array> {
  readonly #codec: G711Codec;

  constructor(codec: G711Codec) {
    this.#codec = codec;
  }

  decode(bytes: Uint8Array): Int16Array {
    return this.#codec === 'PCMA' ? G711.decodeAlaw(bytes) : G711.decodeUlaw(bytes);
  }

  end(): Int16Array {
    return NOTHING;
  }
}

/** Raw mono samples of 16 bits, as numbers or as little-endian bytes. */
export class PcmDecoder implements StreamDecoder<Uint8Array | Int16Array> {
  readonly #resampler: Resampler | undefined;
  /** Half a sample at the end of the last piece. */
  #cut: number | undefined;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a rate that is not from 4000 to 192000 */
  constructor(rate: number) {
    this.#resampler = rate === SAMPLE_RATE ? undefined : new Resampler({ from: rate, to: SAMPLE_RATE });
  }

  decode(piece: Uint8Array | Int16Array): Int16Array {
    const samples = piece instanceof Int16Array ? piece : this.#samples(piece);
    return this.#resampler?.process(samples) ?? samples;
  }

  end(): Int16Array {
    return this.#resampler?.flush() ?? NOTHING;
  }

  #samples(bytes: Uint8Array): Int16Array {
    const before = this.#cut === undefined ? [] : [this.#cut];
    const length = before.length + bytes.length;
    const byteAt = (i: number): number => (i < before.length ? (before[i] ?? 0) : (bytes[i - before.length] ?? 0));
    const samples = new Int16Array(length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = byteAt(2 * i) | (byteAt(2 * i + 1) << 8);
    this.#cut = length % 2 === 1 ? byteAt(length - 1) : undefined;
    return samples;
  }
}
