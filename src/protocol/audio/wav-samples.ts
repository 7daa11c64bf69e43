import { G711 } from './g711.js';
import { FULL_SCALE, saturate } from './pcm.js';
import type { WavLayout } from './wav-format.js';

/** One sample at that place of the bytes, as 16 bits. */
type ReadSample = (bytes: DataView, at: number) => number;

/**
 * Turns whole frames (a sample of every channel each) into mono samples of 16 bits: the mean of the channels, rounded.
 * Wider samples are rounded, louder ones saturated. `bytes` holds `out.length` frames.
 */
export type ReadFrames = (bytes: DataView, out: Int16Array) => void;

/** How to read the frames of a file. */
export function framesReader({ format, sampleBytes, frameBytes }: WavLayout, littleEndian: boolean): ReadFrames {
  const read = sampleReader(format.encoding, sampleBytes, littleEndian);
  const { channels } = format;
  return (bytes, out) => {
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += read(bytes, i * frameBytes + channel * sampleBytes);
      out[i] = Math.round(sum / channels);
    }
  };
}

function sampleReader(encoding: string, sampleBytes: number, littleEndian: boolean): ReadSample {
  switch (encoding) {
    case 'float':
      return sampleBytes === 4
        ? (bytes, at) => fromFloat(bytes.getFloat32(at, littleEndian))
        : (bytes, at) => fromFloat(bytes.getFloat64(at, littleEndian));
    case 'alaw':
      return decoder(G711.decodeAlaw);
    case 'ulaw':
      return decoder(G711.decodeUlaw);
    default:
      return pcmReader(sampleBytes, littleEndian);
  }
}

/** Samples fill their bytes from the top, so that the two highest bytes are the sample; the next one rounds. */
function pcmReader(sampleBytes: number, littleEndian: boolean): ReadSample {
  // samples of one byte have their zero in the middle of the range, all others at 0
  if (sampleBytes === 1) return (bytes, at) => (bytes.getUint8(at) - 128) << 8;
  if (sampleBytes === 2) return (bytes, at) => bytes.getInt16(at, littleEndian);
  const high = littleEndian ? sampleBytes - 2 : 0;
  const next = littleEndian ? sampleBytes - 3 : 2;
  return (bytes, at) => saturate(bytes.getInt16(at + high, littleEndian) + (bytes.getUint8(at + next) >> 7));
}

function decoder(decode: (codes: Uint8Array) => Int16Array): ReadSample {
  const values = decode(Uint8Array.from({ length: 256 }, (_none, code) => code));
  return (bytes, at) => values[bytes.getUint8(at)] ?? 0;
}

/** What is no number is silence. */
function fromFloat(value: number): number {
  return Number.isNaN(value) ? 0 : saturate(Math.round(value * FULL_SCALE));
}
