import { UsageError } from '../../base/errors.js';
import type { Cancel } from '../../base/scheduler.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import type { AudioSource } from '../audio/audio-source.js';
import { dtmf } from '../audio/tone.js';
import { watchedSource } from '../audio/watched-source.js';
import type { AudioSender } from './audio-sender.js';
import { isDigit } from './digit-gate.js';

export interface SendDigitsOptions {
  /** Default: as RTP events if the peer takes them, else as tones. */
  readonly by?: 'rfc4733' | 'inband';
  /** 40 or more; default 100. */
  readonly durationMs?: number;
  /** 40 or more; default 100. */
  readonly gapMs?: number;
  readonly signal?: AbortSignal;
}

const USUAL_MS = 100;

/** Presses keys towards the peer, as RTP events (RFC 4733) or as tones in the audio. */
export class KeySender {
  readonly #sender: AudioSender;
  readonly #play: (source: AudioSource) => Cancel;
  /** Whoever waits for the last key to be up. */
  readonly #waiting = new Set<() => void>();
  readonly #sounding = new Set<() => void>();
  #closed = false;

  /** @param play sends a source until it is told to stop */
  constructor(sender: AudioSender, play: (source: AudioSource) => Cancel) {
    this.#sender = sender;
    this.#play = play;
  }

  /** Resolves when the last key is up, the signal has fired or the session is closed. @throws UsageError for what is no digit */
  async press(digits: string, options: SendDigitsOptions): Promise<void> {
    const keys = [...digits.toUpperCase()].map((digit) => {
      if (isDigit(digit)) return digit;
      throw new UsageError('PBX_INVALID_ARGUMENT', `digits: found ${JSON.stringify(digit)}, expected 0-9, *, #, A-D`);
    });
    if (keys.length === 0 || this.#closed || options.signal?.aborted === true) return;
    const by = options.by ?? (this.#sender.hasEvents ? 'rfc4733' : 'inband');
    if (by === 'rfc4733') await this.#tell(keys, options);
    else await this.#sound(keys, options);
  }

  /** To be called on every beat. */
  beat(): void {
    if (this.#waiting.size > 0 && !this.#sender.pressing) this.#finish();
  }

  close(): void {
    this.#closed = true;
    this.#finish();
    for (const done of [...this.#sounding]) done();
  }

  #finish(): void {
    for (const done of [...this.#waiting]) done();
  }

  #tell(keys: readonly DtmfDigit[], options: SendDigitsOptions): Promise<void> {
    const { durationMs = USUAL_MS, gapMs = USUAL_MS, signal } = options;
    this.#sender.press(keys.join(''), { durationMs, gapMs });
    return new Promise((resolve) => {
      const release = (): void => this.#sender.releaseKeys();
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', release);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', release, { once: true });
    });
  }

  #sound(keys: readonly DtmfDigit[], options: SendDigitsOptions): Promise<void> {
    const { durationMs = USUAL_MS, gapMs = USUAL_MS, signal } = options;
    const tones = dtmf(keys, { durationMs, gapMs }).open();
    return new Promise((resolve) => {
      const done = (): void => {
        undo();
        this.#sounding.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const undo = this.#play(watchedSource(tones, done));
      this.#sounding.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
