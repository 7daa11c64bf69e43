import { timestampDelta } from '../../protocol/rtp/sequence.js';

/** One second of 8 kHz samples and a little, a power of two. */
const RING_SAMPLES = 8192;
const RING_MASK = RING_SAMPLES - 1;

/** No G.711 code decodes to it, so it marks what has not come. */
const MISSING = -32_768;

const SAMPLES_A_MS = 8;
const LONGEST_DELAY_MS = 200;
/** After so many packets in a row that came too late, the delay was too short. */
const LATE_BEFORE_GROWTH = 3;
const GROWTH_MS = 20;
/** After so many reads without a late packet the delay may shrink again, and what has piled up is looked at. */
const READS_OF_A_WINDOW = 250;
const SHRINK_MS = 10;
/** What may lie in the buffer beyond the delay: the sender's clock runs a little faster than ours. */
const TOLERATED_EXCESS_MS = 20;
/** More than this is not drift, it is a burst after a stall: dropped at once. */
const BURST_EXCESS_MS = 60;

/** A gap is filled with what was heard before, fading to silence over this time. */
const FADE_SAMPLES = 60 * SAMPLES_A_MS;
const HISTORY_SAMPLES = 160;

export interface JitterBufferOptions {
  /** How long a packet waits at least, in milliseconds. Default 60. */
  readonly delayMs?: number;
}

/**
 * Smooths what arrives unevenly: samples go to their place by timestamp, whatever order and size of packet they came in, and are
 * read at an even pace, some 60 ms later. What is missing is concealed. The delay grows when packets come too late and shrinks
 * when none did for a while.
 */
export class JitterBuffer {
  readonly #ring = new Int16Array(RING_SAMPLES).fill(MISSING);
  readonly #history = new Int16Array(HISTORY_SAMPLES);
  readonly #shortestDelay: number;
  #delay: number;
  /** The timestamp of the next sample to read; undefined before the first packet. */
  #position: number | undefined;
  #index = 0;
  /** Behind the newest sample. */
  #end = 0;
  #lateInARow = 0;
  #late = 0;
  #concealed = 0;
  #gapSamples = FADE_SAMPLES;
  #reads = 0;
  #leastDepth = Number.POSITIVE_INFINITY;
  #lateInWindow = false;

  constructor(options: JitterBufferOptions = {}) {
    this.#shortestDelay = (options.delayMs ?? 60) * SAMPLES_A_MS;
    this.#delay = this.#shortestDelay;
  }

  /** Packets that came when their time was over. */
  get latePackets(): number {
    return this.#late;
  }

  /** Samples that had to be made up, silence not counted. */
  get concealedSamples(): number {
    return this.#concealed;
  }

  /** In milliseconds, as it is now. */
  get delayMs(): number {
    return this.#delay / SAMPLES_A_MS;
  }

  /** Another source: its timestamps begin anew. */
  reset(): void {
    this.#position = undefined;
    this.#ring.fill(MISSING);
    this.#lateInARow = 0;
    this.#leastDepth = Number.POSITIVE_INFINITY;
  }

  /** Takes the first `count` samples of a packet whose first one belongs to `timestamp`. */
  write(timestamp: number, pcm: Int16Array, count: number): void {
    if (count === 0 || count > RING_SAMPLES / 2) return;
    let position = this.#position ?? this.#anchor(timestamp);
    let ahead = timestampDelta(position, timestamp);
    if (ahead + count > RING_SAMPLES || ahead < -RING_SAMPLES) {
      // The sender's clock has jumped: begin anew from here.
      this.reset();
      position = this.#anchor(timestamp);
      ahead = timestampDelta(position, timestamp);
    }
    if (ahead + count <= 0) {
      if (!this.#tooLate()) return;
      position = this.#anchor(timestamp);
      ahead = timestampDelta(position, timestamp);
    } else this.#lateInARow = 0;
    const from = Math.max(0, -ahead);
    const at = this.#index + ahead;
    // Here and below sample by sample: views of parts, made for each packet, cost more than what they save.
    for (let i = from; i < count; i++) this.#ring[(at + i) & RING_MASK] = pcm[i] ?? 0;
    if (timestampDelta(this.#end, timestamp + count) > 0) this.#end = (timestamp + count) >>> 0;
  }

  /** Fills `out` with the next samples. False if none of them had come: `out` then holds what conceals them, or silence. */
  read(out: Int16Array): boolean {
    const position = this.#position;
    if (position === undefined) {
      out.fill(0);
      return false;
    }
    for (let i = 0; i < out.length; i++) {
      const at = (this.#index + i) & RING_MASK;
      out[i] = this.#ring[at] ?? MISSING;
      this.#ring[at] = MISSING;
    }
    this.#advance(position, out.length);
    const heard = this.#conceal(out);
    this.#control(position + out.length);
    return heard;
  }

  #anchor(timestamp: number): number {
    this.#position = (timestamp - this.#delay) >>> 0;
    this.#end = timestamp >>> 0;
    this.#ring.fill(MISSING);
    return this.#position;
  }

  #advance(position: number, count: number): void {
    this.#position = (position + count) >>> 0;
    this.#index = (this.#index + count) & RING_MASK;
  }

  /** Whether it is time to begin anew with a longer delay. */
  #tooLate(): boolean {
    this.#late++;
    this.#lateInWindow = true;
    if (++this.#lateInARow < LATE_BEFORE_GROWTH) return false;
    this.#lateInARow = 0;
    this.#delay = Math.min(this.#delay + GROWTH_MS * SAMPLES_A_MS, LONGEST_DELAY_MS * SAMPLES_A_MS);
    return true;
  }

  #conceal(out: Int16Array): boolean {
    let at = out.indexOf(MISSING);
    if (at < 0) {
      this.#remember(out);
      return true;
    }
    let heard = at > 0;
    for (; at < out.length; at++) {
      if (out[at] !== MISSING) {
        heard = true;
        this.#gapSamples = 0;
        continue;
      }
      out[at] = this.#madeUp();
    }
    if (heard) this.#remember(out);
    return heard;
  }

  /** What was heard a moment before, softer and softer. */
  #madeUp(): number {
    if (this.#gapSamples >= FADE_SAMPLES) return 0;
    const before = this.#history[this.#gapSamples % HISTORY_SAMPLES] ?? 0;
    const gain = 1 - this.#gapSamples / FADE_SAMPLES;
    this.#gapSamples++;
    this.#concealed++;
    return Math.round(before * gain);
  }

  #remember(out: Int16Array): void {
    this.#gapSamples = 0;
    const skipped = out.length - HISTORY_SAMPLES;
    if (skipped >= 0) for (let i = 0; i < HISTORY_SAMPLES; i++) this.#history[i] = out[skipped + i] ?? 0;
    else {
      this.#history.copyWithin(0, out.length);
      this.#history.set(out, HISTORY_SAMPLES - out.length);
    }
  }

  /** Looks at how full the buffer was at its emptiest: what always lay there is delay that nobody needs. */
  #control(position: number): void {
    const depth = timestampDelta(position, this.#end);
    this.#leastDepth = Math.max(0, Math.min(this.#leastDepth, depth));
    if (++this.#reads < READS_OF_A_WINDOW) return;
    this.#reads = 0;
    if (!this.#lateInWindow) this.#delay = Math.max(this.#shortestDelay, this.#delay - SHRINK_MS * SAMPLES_A_MS);
    const excess = this.#leastDepth - this.#delay;
    if (excess > TOLERATED_EXCESS_MS * SAMPLES_A_MS) {
      this.#drop(position, excess > BURST_EXCESS_MS * SAMPLES_A_MS ? excess : SHRINK_MS * SAMPLES_A_MS);
    }
    this.#lateInWindow = false;
    this.#leastDepth = Number.POSITIVE_INFINITY;
  }

  #drop(position: number, count: number): void {
    for (let i = 0; i < count; i++) this.#ring[(this.#index + i) & RING_MASK] = MISSING;
    this.#advance(position, count);
  }
}
