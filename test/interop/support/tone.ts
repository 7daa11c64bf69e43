import type { Sound } from './wav.js';

/** What dominates a piece of sound. */
export interface Tone {
  /** Frequency with the most energy between 100 Hz and 3 kHz, to 1 Hz. */
  readonly hz: number;
  /** RMS of everything heard, in dB below full scale (32768). */
  readonly levelDb: number;
  /** Share of the energy that lies in that frequency, 0…1; a pure tone through G.711 has more than 0.95. */
  readonly purity: number;
}

/** Measures `seconds` of sound from `fromSeconds` on; a negative start counts from the end. */
export function measureTone(sound: Sound, fromSeconds: number, seconds: number): Tone {
  const { rateHz, samples } = sound;
  const start = Math.round((fromSeconds < 0 ? samples.length / rateHz + fromSeconds : fromSeconds) * rateHz);
  const piece = samples.subarray(start, start + Math.round(seconds * rateHz));
  if (start < 0 || piece.length < seconds * rateHz - 1) {
    throw new Error(`${(samples.length / rateHz).toFixed(2)} s recorded: no ${seconds} s from ${fromSeconds} s on`);
  }
  let energy = 0;
  for (const sample of piece) energy += sample * sample;
  // coarse steps no wider than the filter's own width, so that no tone falls between two of them
  const coarse = Math.max(1, Math.floor(1 / seconds));
  let hz = strongest(piece, rateHz, 100, 3_000, coarse);
  hz = strongest(piece, rateHz, hz - coarse, hz + coarse, 1);
  const power = energy / piece.length;
  return {
    hz,
    levelDb: power === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(power / 32_768 ** 2),
    purity: power === 0 ? 0 : goertzel(piece, rateHz, hz) / power,
  };
}

/** Where in a recording the sound begins: the start of the first 20 ms whose peak is above −40 dB, in seconds. */
export function firstSound(sound: Sound): number {
  const frame = Math.round(sound.rateHz / 50);
  for (let at = 0; at + frame <= sound.samples.length; at += frame) {
    if (sound.samples.subarray(at, at + frame).some((sample) => Math.abs(sample) > 328)) return at / sound.rateHz;
  }
  throw new Error(`${(sound.samples.length / sound.rateHz).toFixed(2)} s recorded, all of it silence`);
}

function strongest(samples: Int16Array, rateHz: number, from: number, to: number, step: number): number {
  let best = from;
  let most = -1;
  for (let hz = from; hz <= to; hz += step) {
    const power = goertzel(samples, rateHz, hz);
    if (power > most) [most, best] = [power, hz];
  }
  return best;
}

/** Mean power of the sine of that frequency in the samples (Goertzel). */
function goertzel(samples: Int16Array, rateHz: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rateHz);
  let [one, two] = [0, 0];
  for (const sample of samples) [one, two] = [sample + coefficient * one - two, one];
  const magnitude = one * one + two * two - coefficient * one * two;
  return (2 * magnitude) / samples.length ** 2;
}
