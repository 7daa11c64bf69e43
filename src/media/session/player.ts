import type { Events } from '../../base/events.js';
import type { Cancel } from '../../base/scheduler.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import type { AudioSource, Sound } from '../audio/audio-source.js';
import { sequence } from '../audio/sequence.js';
import { isAmong, type KeyChoice } from './digit-gate.js';
import type { MediaSessionEvents } from './media-session-options.js';
import { Playback } from './playback.js';

/** What a player needs of the session that it plays to. */
export interface PlayerSession {
  readonly events: Events<MediaSessionEvents>;
  /** Fires when there is nobody left to play to. */
  readonly signal: AbortSignal;
  send(source: AudioSource): Cancel;
}

export interface PlayOptions {
  /** Ends it; the result is then `stopped`. */
  readonly signal?: AbortSignal;
  /** How many times it is played in all, `true` for ever. Default 1. */
  readonly loop?: number | true;
  /** Where to begin, in milliseconds from the start of the first round. Default 0. */
  readonly startMs?: number;
  /** Which keys end it (barge-in). Default none. */
  readonly interruptedBy?: KeyChoice;
}

/**
 * How playing ended: `finished` at its end; `stopped` by its signal, by `stop`, by another `play` or with the session; `interrupted` by a
 * key, which still counts for the next `collect`; `failed` because the sound could not be read: `error` says why.
 */
export type PlayResult = { readonly positionMs: number } & (
  | { readonly kind: 'finished' | 'stopped' }
  | { readonly kind: 'interrupted'; readonly digit: DtmfDigit }
  | { readonly kind: 'failed'; readonly error: unknown }
);

/** Plays sounds to one session, one at a time. */
export class Player {
  readonly #session: PlayerSession;
  #current: { readonly playback: Playback; readonly stop: () => void } | undefined;

  constructor(session: PlayerSession) {
    this.#session = session;
  }

  /** Whether something is being played or stands still. */
  get playing(): boolean {
    return this.#current !== undefined;
  }

  /** What has been heard of the present round, in milliseconds from its start; 0 when nothing is played. */
  get positionMs(): number {
    return this.#current?.playback.positionMs ?? 0;
  }

  /**
   * Plays a sound, or several in turn. What was being played is stopped. A source that is too slow is heard as silence until it has
   * more. Never rejects.
   */
  play(sounds: Sound | readonly Sound[], options: PlayOptions = {}): Promise<PlayResult> {
    this.stop();
    const { loop = 1, startMs = 0, signal, interruptedBy = 'none' } = options;
    const sound = isSound(sounds) ? sounds : sequence(...sounds);
    const rounds = loop === true ? Number.POSITIVE_INFINITY : loop;
    return new Promise((resolve) => {
      const undo: (() => void)[] = [];
      const end = (result: PlayResult): void => {
        if (this.#current?.playback === playback) this.#current = undefined;
        for (const each of undo.splice(0)) each();
        playback.close();
        resolve(result);
      };
      const playback: Playback = new Playback({ sound, rounds, startMs, onEnd: end });
      const stop = (): void => end({ kind: 'stopped', positionMs: playback.positionMs });
      if (signal?.aborted === true || this.#session.signal.aborted) {
        stop();
        return;
      }
      this.#current = { playback, stop };
      for (const each of [signal, this.#session.signal]) {
        each?.addEventListener('abort', stop, { once: true });
        undo.push(() => each?.removeEventListener('abort', stop));
      }
      undo.push(
        this.#session.events.on('digit', ({ digit }) => {
          if (isAmong(digit, interruptedBy)) end({ kind: 'interrupted', digit, positionMs: playback.positionMs });
        }),
        this.#session.send(playback),
      );
    });
  }

  stop(): void {
    this.#current?.stop();
  }

  /** Stands still; silence is sent. */
  pause(): void {
    if (this.#current !== undefined) this.#current.playback.paused = true;
  }

  resume(): void {
    if (this.#current !== undefined) this.#current.playback.paused = false;
  }

  /** Goes on from another place of the present round. */
  seek(positionMs: number): void {
    this.#current?.playback.seek(positionMs);
  }
}

function isSound(sounds: Sound | readonly Sound[]): sounds is Sound {
  return 'open' in sounds;
}
