import { UsageError } from '../../base/errors.js';
import type { Cancel } from '../../base/scheduler.js';
import { G711 } from '../../protocol/audio/g711.js';
import type { MediaClock } from '../session/media-clock.js';
import { type AudioSource, type EncodedSource, type G711Codec, SAMPLES_A_MS, type Sound } from './audio-source.js';

const BLOCK_MS = 20;
const BLOCK_SAMPLES = BLOCK_MS * SAMPLES_A_MS;
/** What is kept for listeners who lag behind: a quarter of a second, in whole blocks. */
const RING_SAMPLES = 12 * BLOCK_SAMPLES;
/** Listeners hear it so much later than it is read: the longest packet that a session sends. */
const BEHIND_SAMPLES = 60 * SAMPLES_A_MS;

export interface BroadcastOptions {
  readonly clock: Pick<MediaClock, 'every'>;
  /** Played over and over. */
  readonly sound: Sound;
  /** Told once, when it is closed. */
  readonly onClosed?: () => void;
}

/**
 * One sound for any number of listeners, such as music on hold: read once, and encoded once for each codec, however many listen.
 * It stands still while nobody listens. To play it is to join those who listen already, wherever it is.
 */
export class Broadcast implements Sound {
  readonly #clock: Pick<MediaClock, 'every'>;
  readonly #sound: Sound;
  readonly #onClosed: () => void;
  readonly #listeners = new Set<Listener>();
  readonly #ring = new Int16Array(RING_SAMPLES);
  readonly #encoded = new Map<G711Codec, { readonly ring: Uint8Array; upTo: number }>();
  readonly #block = new Int16Array(BLOCK_SAMPLES);
  readonly #codes = new Uint8Array(BLOCK_SAMPLES);
  /** Samples since the start. */
  #written = 0;
  #source: AudioSource | undefined;
  /** Of this round of the sound. */
  #heard = 0;
  #failure: unknown;
  #stop: Cancel | undefined;
  #closed = false;

  constructor(options: BroadcastOptions) {
    this.#clock = options.clock;
    this.#sound = options.sound;
    this.#onClosed = options.onClosed ?? (() => {});
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Why there is silence, if the sound cannot be played. */
  get failure(): unknown {
    return this.#failure;
  }

  /** As `listen`: there is no start to begin from. */
  open(): EncodedSource {
    return this.listen();
  }

  /** What one more listener hears; it ends when its source is closed, or the sound cannot be played. */
  listen(): EncodedSource {
    if (this.#listeners.size === 0 && !this.#closed) this.#begin();
    const listener = new Listener(this, this.#written - BEHIND_SAMPLES, () => this.#leave(listener));
    if (this.#closed) listener.close();
    else this.#listeners.add(listener);
    return listener;
  }

  /** Ends it for all who listen. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    for (const listener of [...this.#listeners]) listener.close();
    this.#source?.close();
    this.#source = undefined;
  }

  /** Copies `out.length` samples from `position` on, as far as there are any; returns how many. */
  copy(position: number, out: Int16Array): number {
    const count = Math.min(out.length, this.#written - position);
    for (let i = 0; i < count; i++) out[i] = this.#ring[(position + i) % RING_SAMPLES] ?? 0;
    return count;
  }

  /** As `copy`, encoded. */
  copyEncoded(codec: G711Codec, position: number, out: Uint8Array): number {
    const codes = this.#encode(codec);
    const count = Math.min(out.length, this.#written - position);
    for (let i = 0; i < count; i++) out[i] = codes[(position + i) % RING_SAMPLES] ?? 0;
    return count;
  }

  /** Where a listener who was too slow goes on. */
  catchUp(position: number, count: number): number {
    return this.#written - position > RING_SAMPLES - count ? this.#written - BEHIND_SAMPLES : position;
  }

  #begin(): void {
    for (let ahead = 0; ahead < BEHIND_SAMPLES; ahead += BLOCK_SAMPLES) this.#fill();
    this.#stop = this.#clock.every(BLOCK_MS, () => this.#fill());
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #fill(): void {
    let count = 0;
    try {
      if (this.#failure === undefined) count = this.#readBlock();
    } catch (error) {
      this.#failure = error;
    }
    this.#block.fill(0, count);
    this.#ring.set(this.#block, this.#written % RING_SAMPLES);
    this.#written += BLOCK_SAMPLES;
  }

  #readBlock(): number {
    let source = this.#source;
    if (source === undefined || source.ended) {
      source?.close();
      source = this.#sound.open();
      this.#source = source;
      this.#heard = 0;
    }
    const count = source.read(this.#block);
    this.#heard += count;
    if (source.ended) this.#failure = source.failure ?? (this.#heard === 0 ? emptySound() : undefined);
    return count;
  }

  #encode(codec: G711Codec): Uint8Array {
    let kept = this.#encoded.get(codec);
    if (kept === undefined) {
      kept = { ring: new Uint8Array(RING_SAMPLES), upTo: 0 };
      this.#encoded.set(codec, kept);
    }
    const encodeInto = codec === 'PCMA' ? G711.encodeAlawInto : G711.encodeUlawInto;
    for (let at = Math.max(kept.upTo, this.#written - RING_SAMPLES); at < this.#written; at += BLOCK_SAMPLES) {
      this.copy(at, this.#block);
      encodeInto(this.#block, this.#codes);
      for (let i = 0; i < BLOCK_SAMPLES; i++) kept.ring[(at + i) % RING_SAMPLES] = this.#codes[i] ?? 0;
    }
    kept.upTo = this.#written;
    return kept.ring;
  }
}

function emptySound(): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', 'the sound for many listeners holds no samples; give one that does');
}

class Listener implements EncodedSource {
  readonly #broadcast: Broadcast;
  readonly #onClose: () => void;
  #position: number;
  #closed = false;

  constructor(broadcast: Broadcast, position: number, onClose: () => void) {
    this.#broadcast = broadcast;
    this.#position = position;
    this.#onClose = onClose;
  }

  get ended(): boolean {
    return this.#closed || this.failure !== undefined;
  }

  get failure(): unknown {
    return this.#broadcast.failure;
  }

  read(out: Int16Array): number {
    if (this.#closed) return 0;
    this.#position = this.#broadcast.catchUp(this.#position, out.length);
    const count = this.#broadcast.copy(this.#position, out);
    this.#position += count;
    return count;
  }

  readEncoded(codec: G711Codec, out: Uint8Array): number {
    if (this.#closed) return 0;
    this.#position = this.#broadcast.catchUp(this.#position, out.length);
    const count = this.#broadcast.copyEncoded(codec, this.#position, out);
    this.#position += count;
    return count;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }
}
