import { type AudioSource, SAMPLES_A_MS, type Sound } from './audio-source.js';

/** Several sounds, one after the other: prompts and the pauses between them. */
export function sequence(...sounds: readonly Sound[]): Sound {
  return { open: (startMs = 0) => new SequenceSource(sounds, startMs) };
}

class SequenceSource implements AudioSource {
  readonly #sounds: readonly Sound[];
  #next = 0;
  #current: AudioSource | undefined;
  #toSkip: number;
  #failure: unknown;

  constructor(sounds: readonly Sound[], startMs: number) {
    this.#sounds = sounds;
    this.#toSkip = Math.round(startMs * SAMPLES_A_MS);
    this.#advance();
  }

  get ended(): boolean {
    return this.#current === undefined;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get overshoot(): number {
    return this.ended ? this.#toSkip : 0;
  }

  read(out: Int16Array): number {
    let filled = 0;
    while (filled < out.length && this.#current !== undefined) {
      filled += this.#current.read(filled === 0 ? out : out.subarray(filled));
      if (!this.#current.ended) break;
      this.#advance();
    }
    return filled;
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
    this.#next = this.#sounds.length;
  }

  /** The next sound that is not over at once; one that failed ends the whole. */
  #advance(): void {
    for (;;) {
      const last = this.#current;
      if (last?.failure !== undefined) {
        this.#failure = last.failure;
        this.close();
        return;
      }
      if (last !== undefined) {
        if (!last.ended) return;
        this.#toSkip = last.overshoot ?? 0;
        last.close();
      }
      this.#current = this.#sounds[this.#next++]?.open(this.#toSkip / SAMPLES_A_MS);
      if (this.#current === undefined) return;
    }
  }
}
