import { type AudioSource, SAMPLES_A_MS } from './audio-source.js';
import { SampleQueue } from './sample-queue.js';

/** Turns the bytes or samples of a stream into 8 kHz mono, piece by piece. */
export interface StreamDecoder<Piece> {
  /** The samples of the next piece; valid until the next call. */
  decode(piece: Piece): Int16Array;
  /** What was still held back. @throws if the stream ends where it must not */
  end(): Int16Array;
}

/** What is read ahead of the beat: more than this waits in the file. */
const ENOUGH_SAMPLES = 8000;
/** Below this more is fetched. */
const LOW_SAMPLES = 4000;

/**
 * Plays a stream of pieces that come when they come: a file, a text-to-speech service. Reads at most about a second ahead, so that
 * the memory it takes does not depend on the length of the stream. When the stream is too slow there are no samples for a while;
 * the beat goes on.
 */
export class StreamedSource<Piece> implements AudioSource {
  readonly #decoder: StreamDecoder<Piece>;
  readonly #queue = new SampleQueue(2048);
  #toSkip: number;
  #state: 'running' | 'drained' | 'closed' = 'running';
  #failure: unknown;
  #wake: (() => void) | undefined;
  #pieces: AsyncIterator<Piece> | undefined;

  /** @param open gives the stream; it may fail */
  constructor(open: () => AsyncIterable<Piece>, decoder: StreamDecoder<Piece>, startMs: number) {
    this.#decoder = decoder;
    this.#toSkip = Math.round(startMs * SAMPLES_A_MS);
    void this.#run(open);
  }

  get ended(): boolean {
    return this.#state !== 'running' && this.#queue.length === 0;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get overshoot(): number {
    return this.ended ? this.#toSkip : 0;
  }

  read(out: Int16Array): number {
    const count = this.#queue.read(out);
    if (this.#queue.length < LOW_SAMPLES) this.#resume();
    return count;
  }

  close(): void {
    if (this.#state === 'running') this.#release();
    this.#state = 'closed';
    this.#queue.clear();
    this.#resume();
  }

  /** Never rejects: it has no other owner. */
  async #run(open: () => AsyncIterable<Piece>): Promise<void> {
    try {
      const pieces = open()[Symbol.asyncIterator]();
      this.#pieces = pieces;
      for (let next = await pieces.next(); this.#state === 'running'; next = await pieces.next()) {
        this.#keep(next.done === true ? this.#decoder.end() : this.#decoder.decode(next.value));
        if (next.done === true) break;
        while (this.#isFull()) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } catch (error) {
      // Closed by us, the stream may well complain: nobody listens any more.
      if (this.#state === 'running') {
        this.#failure = error;
        this.#release();
      }
    }
    if (this.#state === 'running') this.#state = 'drained';
  }

  /** Lets go of the file or connection behind the stream. Whether that succeeds changes nothing here. */
  #release(): void {
    void Promise.resolve(this.#pieces?.return?.()).catch(() => undefined);
  }

  #isFull(): boolean {
    return this.#state === 'running' && this.#queue.length >= ENOUGH_SAMPLES;
  }

  #keep(pcm: Int16Array): void {
    const skipped = Math.min(this.#toSkip, pcm.length);
    this.#toSkip -= skipped;
    if (skipped < pcm.length) this.#queue.write(pcm.subarray(skipped));
  }

  #resume(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
