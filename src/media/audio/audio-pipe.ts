import { type AudioSource, SAMPLES_A_MS } from './audio-source.js';
import { SampleQueue } from './sample-queue.js';

/** What lies longer than this is too old to be heard: whoever reads has stood still. */
const LONGEST_MS = 160;
const KEPT_MS = 60;

/**
 * What one stream writes and another reads, each on its own beat: an echo, a seat in a conference. A reader gets all it asks for or
 * nothing, so that after one pause at the start there is always enough, even between streams of 20 and 30 ms.
 */
export class AudioPipe implements AudioSource {
  readonly #queue = new SampleQueue(LONGEST_MS * SAMPLES_A_MS);
  #closed = false;

  get ended(): boolean {
    return this.#closed;
  }

  write(pcm: Int16Array): void {
    if (this.#closed) return;
    if (this.#queue.length + pcm.length > LONGEST_MS * SAMPLES_A_MS) {
      this.#queue.drop(this.#queue.length - KEPT_MS * SAMPLES_A_MS);
    }
    this.#queue.write(pcm);
  }

  read(out: Int16Array): number {
    return this.#queue.length < out.length ? 0 : this.#queue.read(out);
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
  }
}
