import { UsageError } from '../../base/errors.js';
import { saturate } from './pcm.js';
import { type SincFilter, sincFilter } from './sinc-filter.js';

/** The rates that a `Resampler` takes and gives, in samples a second. */
export const LOWEST_RATE = 4_000;
export const HIGHEST_RATE = 192_000;

/** Input is taken in pieces of this size, so that a whole file needs no second buffer of its length. */
const PIECE_SAMPLES = 4_096;

/** From which rate to which, in samples a second: whole numbers from 4,000 to 192,000. */
export interface ResamplerOptions {
  readonly from: number;
  readonly to: number;
}

/**
 * Changes the rate of a mono stream by a windowed sinc: flat up to 0.86 of half the lower rate, 70 dB down from that
 * half on. However the stream is cut into pieces, the output is the same to the bit. The first output sample stands
 * where the first input sample does; output comes later than its input by 32 samples of the lower rate, until `flush`.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #filter: SincFilter;
  /** Input that is still needed, from the first tap of the next output sample on; before the stream there is silence. */
  readonly #buffer: Float64Array;
  #held = 0;
  /** The place of the next output sample, in parts of `up` after the sample at half the taps. */
  #place = 0;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a rate that is not whole or out of range */
  constructor({ from, to }: ResamplerOptions) {
    checkRate('from', from);
    checkRate('to', to);
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#filter = sincFilter(this.#up, this.#down);
    this.#buffer = new Float64Array(this.#filter.taps + PIECE_SAMPLES);
    this.#restart();
  }

  /** Takes input of any length, and returns all the output that no later input can change. */
  process(input: Int16Array): Int16Array {
    if (this.#up === this.#down) return input.slice();
    const output = new Int16Array(this.#outputFor(input.length));
    let written = 0;
    for (let at = 0; at < input.length; ) {
      const piece = input.subarray(at, at + this.#buffer.length - this.#held);
      this.#buffer.set(piece, this.#held);
      this.#held += piece.length;
      at += piece.length;
      written = this.#compute(output, written);
    }
    return output;
  }

  /**
   * The stream has ended: returns the rest, so that the whole output is as long in time as the input. Afterwards another
   * stream may begin.
   */
  flush(): Int16Array {
    if (this.#up === this.#down) return new Int16Array(0);
    const rest = this.process(new Int16Array(this.#filter.taps / 2));
    this.#restart();
    return rest;
  }

  #restart(): void {
    this.#buffer.fill(0);
    this.#held = this.#filter.taps / 2 - 1;
    this.#place = 0;
  }

  /** How many output samples become computable with so much more input. */
  #outputFor(more: number): number {
    const complete = this.#held + more - this.#filter.taps + 1;
    return complete <= 0 ? 0 : Math.max(0, Math.ceil((complete * this.#up - this.#place) / this.#down));
  }

  #compute(output: Int16Array, from: number): number {
    const { taps, phases } = this.#filter;
    let written = from;
    let first = Math.floor(this.#place / this.#up);
    while (first + taps <= this.#held) {
      const phase = ((this.#place - first * this.#up) * phases) / this.#up;
      output[written++] = saturate(Math.round(this.#at(first, phase)));
      this.#place += this.#down;
      first = Math.floor(this.#place / this.#up);
    }
    const used = Math.min(first, this.#held);
    this.#buffer.copyWithin(0, used, this.#held);
    this.#held -= used;
    this.#place -= used * this.#up;
    return written;
  }

  #at(first: number, phase: number): number {
    const row = Math.floor(phase);
    const value = this.#convolve(first, row);
    if (row === phase) return value;
    return value + (phase - row) * (this.#convolve(first, row + 1) - value);
  }

  #convolve(first: number, row: number): number {
    const coefficients = this.#filter.rows[row];
    if (coefficients === undefined) return 0;
    const buffer = this.#buffer;
    // four sums side by side: one alone waits for itself at every tap
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < coefficients.length; i += 4) {
      a += (coefficients[i] ?? 0) * (buffer[first + i] ?? 0);
      b += (coefficients[i + 1] ?? 0) * (buffer[first + i + 1] ?? 0);
      c += (coefficients[i + 2] ?? 0) * (buffer[first + i + 2] ?? 0);
      d += (coefficients[i + 3] ?? 0) * (buffer[first + i + 3] ?? 0);
    }
    return a + b + c + d;
  }
}

function checkRate(name: string, rate: number): void {
  if (Number.isInteger(rate) && rate >= LOWEST_RATE && rate <= HIGHEST_RATE) return;
  const expected = `a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE}`;
  throw new UsageError('PBX_INVALID_ARGUMENT', `${name}: found ${rate}, expected ${expected}`);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
