import { type AudioSource, SAMPLES_A_MS, type Sound } from './audio-source.js';

/** A pause of `durationMs`; without it, silence without end. */
export function silence(durationMs: number = Number.POSITIVE_INFINITY): Sound {
  return { open: (startMs = 0) => new SilenceSource(Math.round((durationMs - startMs) * SAMPLES_A_MS)) };
}

class SilenceSource implements AudioSource {
  #left: number;
  readonly overshoot: number;

  constructor(samples: number) {
    this.#left = Math.max(0, samples);
    this.overshoot = Math.max(0, -samples);
  }

  get ended(): boolean {
    return this.#left === 0;
  }

  read(out: Int16Array): number {
    const count = Math.min(out.length, this.#left);
    out.fill(0, 0, count);
    this.#left -= count;
    return count;
  }

  close(): void {
    this.#left = 0;
  }
}
