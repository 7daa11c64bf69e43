import { completeWav, type WavWriterOptions, wavHeader } from '../../protocol/audio/wav-writer.js';
import { StorageError } from '../../storage/errors.js';
import { SAMPLE_RATE } from '../audio/audio-source.js';
import type { RecordingSink } from './recording-sink.js';

/** A second of one channel: what is written at a time, and what a process that is killed loses. */
const BLOCK_BYTES = 16_000;
/** What may wait for a slow sink: half a minute of two channels. */
const MOST_WAITING_BYTES = 1_000_000;

/** A failure of the sink. */
export interface SinkFailure {
  readonly cause: unknown;
}

/** A WAV file that grows (16 bits, 8 kHz): samples in, blocks to the sink at its own pace, sizes patched behind each block. */
export class WavRecording {
  readonly #sink: RecordingSink;
  readonly #format: WavWriterOptions;
  readonly #blocks: Buffer[] = [];
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #frames = 0;
  #waitingBytes = 0;
  #headerBytes = 0;
  #writtenBytes = 0;
  #failure: SinkFailure | undefined;
  #writing: Promise<void> | undefined;

  constructor(sink: RecordingSink, channels: 1 | 2) {
    this.#sink = sink;
    this.#format = { encoding: 'pcm', rate: SAMPLE_RATE, channels };
  }

  /** Samples of each channel so far. */
  get frames(): number {
    return this.#frames;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The first `count` samples of each channel that the recording has. */
  add(count: number, left: Int16Array, right?: Int16Array): void {
    this.#frames += count;
    for (let i = 0; i < count; i++) {
      this.#put(left[i] ?? 0);
      if (right !== undefined) this.#put(right[i] ?? 0);
    }
  }

  /** Has what is ready written, if nothing is being written. */
  pump(): void {
    if (this.#writing !== undefined || this.failed || (this.#blocks.length === 0 && this.#writtenBytes > 0)) return;
    this.#writing = this.#write().finally(() => (this.#writing = undefined));
  }

  /** Writes the rest and closes the sink. Resolves to what went wrong, if anything did; never rejects. */
  async close(): Promise<SinkFailure | undefined> {
    await this.#writing;
    if (this.#filled > 0) this.#seal();
    if (!this.failed) await this.#write();
    try {
      await this.#sink.close();
    } catch (cause) {
      this.#failure ??= { cause };
    }
    return this.#failure;
  }

  #put(sample: number): void {
    this.#block[this.#filled++] = sample & 0xff;
    this.#block[this.#filled++] = (sample >> 8) & 0xff;
    if (this.#filled === BLOCK_BYTES) this.#seal();
  }

  #seal(): void {
    if (this.failed) {
      this.#filled = 0;
      return;
    }
    this.#blocks.push(this.#block.subarray(0, this.#filled));
    this.#waitingBytes += this.#filled;
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#filled = 0;
    if (this.#waitingBytes > MOST_WAITING_BYTES) {
      this.#failure = { cause: new StorageError('the sink of a recording is too slow: half a minute waits for it') };
    }
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    try {
      if (this.#writtenBytes === 0) {
        const header = wavHeader(this.#format);
        await this.#sink.write(header);
        this.#headerBytes = header.length;
        this.#writtenBytes = header.length;
      }
      for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) {
        await this.#sink.write(block);
        this.#waitingBytes -= block.length;
        this.#writtenBytes += block.length;
        const { bytes, offset } = completeWav(this.#format, this.#writtenBytes - this.#headerBytes);
        await this.#sink.patch(offset, bytes);
      }
    } catch (cause) {
      this.#failure ??= { cause };
    }
  }
}
