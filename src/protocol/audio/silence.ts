import { FULL_SCALE } from './pcm.js';

/** When a stream counts as silent. */
export interface SilenceOptions {
  /** Softer than this is silence, in dBov; default -45. */
  readonly thresholdDbov?: number;
  /** How much louder than the threshold sound must be to count again, in dB; default 4. */
  readonly hysteresisDb?: number;
  /** How long it must have been soft to be called silent; default 1,000 ms. */
  readonly silenceMs?: number;
  /** How long it must be loud to be called sound again, so that a click ends no silence; default 60 ms. */
  readonly soundMs?: number;
  /** Samples a second; default 8,000. */
  readonly rate?: number;
}

/** A stream begins as `sound`, so that one that never speaks has been silent only after `silenceMs`. */
export type SilenceState = 'sound' | 'silence';

/** The level is looked at over stretches of this length: longer than a period of the lowest voice. */
const BLOCK_MS = 20;

/**
 * Tells sound from silence by the level, with hysteresis in level and in time. The size of the pieces that it is given
 * does not matter. Nothing is allocated.
 */
export class SilenceDetector {
  /** Energies of a block: below the one a block speaks for silence, from the other on for sound. */
  readonly #soft: number;
  readonly #loud: number;
  readonly #silenceBlocks: number;
  readonly #soundBlocks: number;
  readonly #blockSamples: number;
  #state: SilenceState = 'sound';
  #energy = 0;
  #samples = 0;
  /** Blocks in a row that speak against the state. */
  #against = 0;
  #quietBlocks = 0;

  constructor(options: SilenceOptions = {}) {
    const { thresholdDbov = -45, hysteresisDb = 4, silenceMs = 1_000, soundMs = 60, rate = 8_000 } = options;
    this.#blockSamples = Math.max(1, Math.round((rate * BLOCK_MS) / 1_000));
    this.#soft = this.#blockSamples * FULL_SCALE ** 2 * 10 ** (thresholdDbov / 10);
    this.#loud = this.#soft * 10 ** (hysteresisDb / 10);
    this.#silenceBlocks = Math.max(1, Math.ceil(silenceMs / BLOCK_MS));
    this.#soundBlocks = Math.max(1, Math.ceil(soundMs / BLOCK_MS));
  }

  get state(): SilenceState {
    return this.#state;
  }

  /** How long it has been soft, in ms; clicks that are too short to be sound do not end it. */
  get quietMs(): number {
    return this.#quietBlocks * BLOCK_MS;
  }

  /** Takes samples and returns the state after them. */
  process(pcm: Int16Array): SilenceState {
    for (let i = 0; i < pcm.length; i++) {
      this.#energy += (pcm[i] ?? 0) ** 2;
      if (++this.#samples === this.#blockSamples) this.#endBlock();
    }
    return this.#state;
  }

  #endBlock(): void {
    const silent = this.#state === 'silence';
    const against = silent ? this.#energy >= this.#loud : this.#energy < this.#soft;
    this.#energy = 0;
    this.#samples = 0;
    this.#against = against ? this.#against + 1 : 0;
    this.#quietBlocks = silent ? this.#quietBlocks + 1 : this.#against;
    if (this.#against < (silent ? this.#soundBlocks : this.#silenceBlocks)) return;
    this.#state = silent ? 'sound' : 'silence';
    this.#against = 0;
    if (silent) this.#quietBlocks = 0;
  }
}
