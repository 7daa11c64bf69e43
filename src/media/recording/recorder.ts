import type { Events } from '../../base/events.js';
import type { Cancel } from '../../base/scheduler.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import { saturate } from '../../protocol/audio/pcm.js';
import { SilenceDetector } from '../../protocol/audio/silence.js';
import { SAMPLES_A_MS } from '../audio/audio-source.js';
import { isAmong, type KeyChoice } from '../session/digit-gate.js';
import type { AudioTap, MediaSessionEvents } from '../session/media-session-options.js';
import type { RecordingSink } from './recording-sink.js';
import { WavRecording } from './wav-recording.js';

/** What a recorder needs of the session that it records. */
export interface RecorderSession {
  readonly events: Events<MediaSessionEvents>;
  /** Fires when there is nothing left to record. */
  readonly signal: AbortSignal;
  tap(tap: AudioTap): Cancel;
}

export interface RecordOptions {
  /** Default `received`: what is heard. `mixed`: with what is sent, in one channel. `stereo`: heard left, sent right. */
  readonly channels?: 'received' | 'mixed' | 'stereo';
  /** Ends it after so much, pauses not counted. Default: no limit. */
  readonly maxMs?: number;
  /** Ends it when nothing was heard for so long. Default: it does not. */
  readonly silenceMs?: number;
  /** Which keys end it. Default none. */
  readonly stopDigits?: KeyChoice;
  readonly signal?: AbortSignal;
}

/**
 * Why a recording ended: `stopped` by its signal or `stop`, `limit`, `silence`, a `digit`, `closed` with the session, or `failed` because
 * the sink could not take it: `error` says why.
 */
export type RecordResult = {
  /** Of what was recorded. */
  readonly durationMs: number;
  /** How much of the end was silence; 0 unless `silenceMs` was given. */
  readonly trailingSilenceMs: number;
} & (
  | { readonly reason: 'stopped' | 'limit' | 'silence' | 'closed' }
  | { readonly reason: 'digit'; readonly digit: DtmfDigit }
  | { readonly reason: 'failed'; readonly error: unknown }
);

/** `failed` ends it early; what failed is known once the rest is written. */
type End =
  | { readonly reason: 'stopped' | 'limit' | 'silence' | 'closed' | 'failed' }
  | { readonly reason: 'digit'; readonly digit: DtmfDigit };

/** Records one session to WAV, one recording at a time. */
export class Recorder {
  readonly #session: RecorderSession;
  #stop: (() => void) | undefined;
  #paused = false;

  constructor(session: RecorderSession) {
    this.#session = session;
  }

  get recording(): boolean {
    return this.#stop !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Records until one of the options ends it. A recording under way is stopped. Resolves when the sink has been closed. Never rejects.
   */
  async record(sink: RecordingSink, options: RecordOptions = {}): Promise<RecordResult> {
    this.#stop?.();
    this.#paused = false;
    const { channels = 'received', silenceMs } = options;
    const wav = new WavRecording(sink, channels === 'stereo' ? 2 : 1);
    const silence = silenceMs === undefined ? undefined : new SilenceDetector({ silenceMs });
    const end = await this.#run(wav, silence, options);
    const failure = await wav.close();
    const common = { durationMs: Math.round(wav.frames / SAMPLES_A_MS), trailingSilenceMs: silence?.quietMs ?? 0 };
    if (failure !== undefined || end.reason === 'failed') return { ...common, reason: 'failed', error: failure?.cause };
    return end.reason === 'digit' ? { ...common, ...end } : { ...common, reason: end.reason };
  }

  stop(): void {
    this.#stop?.();
  }

  /** What is said from now on is left out. */
  pause(): void {
    this.#paused = this.recording;
  }

  resume(): void {
    this.#paused = false;
  }

  #run(wav: WavRecording, silence: SilenceDetector | undefined, options: RecordOptions): Promise<End> {
    const { channels = 'received', maxMs = Number.POSITIVE_INFINITY, stopDigits = 'none', signal } = options;
    const most = Math.round(maxMs * SAMPLES_A_MS);
    const both = mixer();
    return new Promise((resolve) => {
      const undo: (() => void)[] = [];
      const end = (how: End): void => {
        for (const each of undo.splice(0)) each();
        if (this.#stop === stop) this.#stop = undefined;
        resolve(how);
      };
      const stop = (): void => end({ reason: 'stopped' });
      const closed = (): void => end({ reason: 'closed' });
      if (this.#session.signal.aborted) return closed();
      if (signal?.aborted === true) return stop();
      this.#stop = stop;
      this.#session.signal.addEventListener('abort', closed, { once: true });
      signal?.addEventListener('abort', stop, { once: true });
      undo.push(
        () => this.#session.signal.removeEventListener('abort', closed),
        () => signal?.removeEventListener('abort', stop),
        this.#session.events.on('digit', ({ digit }) => {
          if (isAmong(digit, stopDigits)) end({ reason: 'digit', digit });
        }),
        this.#session.tap((received, sent) => {
          if (this.#paused) return;
          const count = Math.min(received.length, most - wav.frames);
          if (channels === 'stereo') wav.add(count, received, sent);
          else wav.add(count, channels === 'mixed' ? both(received, sent) : received);
          wav.pump();
          if (wav.failed) end({ reason: 'failed' });
          else if (wav.frames >= most) end({ reason: 'limit' });
          else if (silence?.process(received) === 'silence') end({ reason: 'silence' });
        }),
      );
    });
  }
}

/** Adds two signals up; the result stands until the next call. */
function mixer(): (received: Int16Array, sent: Int16Array) => Int16Array {
  let sum = new Int16Array(0);
  return (received, sent) => {
    if (sum.length !== received.length) sum = new Int16Array(received.length);
    for (let i = 0; i < sum.length; i++) sum[i] = saturate((received[i] ?? 0) + (sent[i] ?? 0));
    return sum;
  };
}
