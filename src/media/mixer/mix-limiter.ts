import { saturate } from '../../protocol/audio/pcm.js';

/** The loudest that a mix may become: a little below full scale. */
const CEILING = 29_000;
/** Of the way back to full volume, what is made good in each block of 20 ms: half of it in about a third of a second. */
const RECOVERY = 0.04;

/**
 * Turns a mix down while it is too loud, instead of cutting off its peaks: at once when it becomes so, and slowly back. Within a block
 * the volume changes sample by sample, so that it does not click.
 */
export class MixLimiter {
  #before = 1;
  #gain = 1;

  /** The volume at the end of the last block, 0 to 1. */
  get gain(): number {
    return this.#gain;
  }

  /** Looks at the sum of the next block. */
  follow(sum: Int32Array): void {
    let peak = 0;
    for (let i = 0; i < sum.length; i++) peak = Math.max(peak, Math.abs(sum[i] ?? 0));
    const needed = peak > CEILING ? CEILING / peak : 1;
    this.#before = this.#gain;
    this.#gain = Math.min(needed, this.#gain + (1 - this.#gain) * RECOVERY);
    // A block that is already too loud at its beginning has no time for a slope.
    if (this.#gain < this.#before) this.#before = this.#gain;
  }

  /** What one party hears: the sum without its own part (absent: it said nothing), at the present volume. */
  limit(sum: Int32Array, own: Int16Array | undefined, out: Int16Array): void {
    const step = (this.#gain - this.#before) / out.length;
    for (let i = 0; i < out.length; i++) {
      const others = (sum[i] ?? 0) - (own?.[i] ?? 0);
      out[i] = saturate(Math.round(others * (this.#before + step * (i + 1))));
    }
  }
}
