import { FULL_SCALE, SILENCE_DBOV } from './pcm.js';

/** Goertzel's recurrences, this many side by side: one alone waits for itself at every sample. */
const LANES = 4;

/**
 * Measures blocks of samples at a few frequencies (G. Goertzel, 1958). Of each it keeps the complex amplitude, by its
 * square and its phase at the end of the block. Measuring allocates nothing.
 */
export class GoertzelBank {
  /** Cosine and sine of the step from one sample to the next; those beyond `hz` fill the last lanes. */
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  /** @param rate samples a second */
  constructor(hz: readonly number[], rate: number) {
    const size = Math.ceil(hz.length / LANES) * LANES;
    const angles = Array.from({ length: size }, (_none, i) => (2 * Math.PI * (hz[i] ?? 0)) / rate);
    this.#cosine = Float64Array.from(angles, Math.cos);
    this.#sine = Float64Array.from(angles, Math.sin);
    this.#real = new Float64Array(size);
    this.#imaginary = new Float64Array(size);
  }

  measure(block: Float64Array): void {
    for (let lane = 0; lane < this.#cosine.length; lane += LANES) this.#measureFrom(lane, block);
  }

  /** |X|² at the frequency of that index: (A·n/2)² for a sine of amplitude A over a block of n samples. */
  power(index: number): number {
    return (this.#real[index] ?? 0) ** 2 + (this.#imaginary[index] ?? 0) ** 2;
  }

  /** The phase at the last sample of the block, in radians. */
  phase(index: number): number {
    return Math.atan2(this.#imaginary[index] ?? 0, this.#real[index] ?? 0);
  }

  #measureFrom(lane: number, block: Float64Array): void {
    const a = 2 * (this.#cosine[lane] ?? 0);
    const b = 2 * (this.#cosine[lane + 1] ?? 0);
    const c = 2 * (this.#cosine[lane + 2] ?? 0);
    const d = 2 * (this.#cosine[lane + 3] ?? 0);
    let a1 = 0;
    let a2 = 0;
    let b1 = 0;
    let b2 = 0;
    let c1 = 0;
    let c2 = 0;
    let d1 = 0;
    let d2 = 0;
    for (let i = 0; i < block.length; i++) {
      const sample = block[i] ?? 0;
      const a0 = sample - a2 + a * a1;
      const b0 = sample - b2 + b * b1;
      const c0 = sample - c2 + c * c1;
      const d0 = sample - d2 + d * d1;
      a2 = a1;
      b2 = b1;
      c2 = c1;
      d2 = d1;
      a1 = a0;
      b1 = b0;
      c1 = c0;
      d1 = d0;
    }
    this.#keep(lane, a1, a2);
    this.#keep(lane + 1, b1, b2);
    this.#keep(lane + 2, c1, c2);
    this.#keep(lane + 3, d1, d2);
  }

  #keep(index: number, last: number, before: number): void {
    this.#real[index] = last - before * (this.#cosine[index] ?? 0);
    this.#imaginary[index] = before * (this.#sine[index] ?? 0);
  }
}

/**
 * The level of one frequency in samples, in dBov: that of the sine there. Frequencies closer than the rate divided by
 * the number of samples cannot be told apart. -127 for silence and for no samples.
 */
export function toneDbov(pcm: Int16Array, hz: number, rate = 8_000): number {
  const bank = new GoertzelBank([hz], rate);
  bank.measure(Float64Array.from(pcm));
  const power = (2 * bank.power(0)) / pcm.length ** 2;
  return power > 0 ? Math.max(SILENCE_DBOV, 10 * Math.log10(power / FULL_SCALE ** 2)) : SILENCE_DBOV;
}
