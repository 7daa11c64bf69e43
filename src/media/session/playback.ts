import { UsageError } from '../../base/errors.js';
import {
  type AudioSource,
  type EncodedSource,
  type G711Codec,
  isEncoded,
  SAMPLES_A_MS,
  type Sound,
} from '../audio/audio-source.js';

/** How a playback ends of its own accord. */
export type PlaybackEnd = { readonly positionMs: number } & (
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: unknown }
);

export interface PlaybackOptions {
  readonly sound: Sound;
  /** How many times it is played. */
  readonly rounds: number;
  readonly startMs: number;
  /** Told once, on the beat. */
  readonly onEnd: (end: PlaybackEnd) => void;
}

/** One sound being played: its rounds, its position, and whether it stands still. */
export class Playback implements EncodedSource {
  readonly #options: PlaybackOptions;
  #source: AudioSource | undefined;
  #roundsLeft: number;
  /** In samples, of this round. */
  #position = 0;
  /** Samples that this round has given; one that gives none is not begun again. */
  #given = 0;
  #ended = false;
  #paused = false;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#roundsLeft = options.rounds;
    this.#position = Math.round(options.startMs * SAMPLES_A_MS);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get positionMs(): number {
    return Math.round(this.#position / SAMPLES_A_MS);
  }

  get paused(): boolean {
    return this.#paused && !this.#ended;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  read(out: Int16Array): number {
    if (this.#ended || this.#paused) return 0;
    let filled = 0;
    try {
      while (filled < out.length && !this.#ended) {
        this.#source ??= this.#options.sound.open(this.#position / SAMPLES_A_MS);
        const count = this.#source.read(filled === 0 ? out : out.subarray(filled));
        filled += count;
        this.#position += count;
        this.#given += count;
        if (!this.#source.ended) break;
        this.#nextRound(this.#source.failure);
      }
    } catch (error) {
      this.#end({ kind: 'failed', error, positionMs: this.positionMs });
    }
    return filled;
  }

  /** What many hear at once is not encoded anew for this one. */
  get encoded(): boolean {
    return !this.#ended && !this.#paused && this.#source !== undefined && isEncoded(this.#source);
  }

  readEncoded(codec: G711Codec, out: Uint8Array): number {
    const source = this.#source;
    if (source === undefined || !isEncoded(source)) return 0;
    try {
      const count = source.readEncoded(codec, out);
      this.#position += count;
      this.#given += count;
      if (source.ended) this.#nextRound(source.failure);
      return count;
    } catch (error) {
      this.#end({ kind: 'failed', error, positionMs: this.positionMs });
      return 0;
    }
  }

  /** @throws UsageError (PBX_INVALID_ARGUMENT) */
  seek(positionMs: number): void {
    if (!Number.isFinite(positionMs))
      throw new UsageError('PBX_INVALID_ARGUMENT', `seek: found ${positionMs}, expected milliseconds such as 1500`);
    if (this.#ended) return;
    this.#source?.close();
    this.#source = undefined;
    this.#position = Math.max(0, Math.round(positionMs * SAMPLES_A_MS));
    // Behind the end there is nothing to give, and yet the next round may be wanted.
    this.#given = 1;
  }

  close(): void {
    this.#ended = true;
    this.#source?.close();
    this.#source = undefined;
  }

  #nextRound(failure: unknown): void {
    // Behind the end is its end; one that has failed did not get there.
    if (failure === undefined) this.#position = Math.max(0, this.#position - (this.#source?.overshoot ?? 0));
    const positionMs = this.positionMs;
    this.#roundsLeft--;
    if (failure !== undefined) this.#end({ kind: 'failed', error: failure, positionMs });
    else if (this.#roundsLeft <= 0 || this.#given === 0) this.#end({ kind: 'finished', positionMs });
    else {
      this.#source?.close();
      this.#source = undefined;
      this.#position = 0;
      this.#given = 0;
    }
  }

  #end(end: PlaybackEnd): void {
    this.close();
    this.#options.onEnd(end);
  }
}
