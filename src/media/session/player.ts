import type { Events } from '../../base/events.js';
import type { Cancel } from '../../base/scheduler.js';
import type { AudioSource, Sound } from '../audio/audio-source.js';
import { sequence } from '../audio/sequence.js';
import { isAmong, type KeyChoice } from './digit-gate.js';
import type { MediaSessionEvents } from './media-session-options.js';
import { Playback } from './playback.js';
import { type PlayControls, Playing, type PlayResult } from './playing.js';

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
  play(sounds: Sound | readonly Sound[], options: PlayOptions = {}): Playing {
    this.stop();
    const { loop = 1, startMs = 0, signal, interruptedBy = 'none' } = options;
    const sound = oneSound(sounds);
    const rounds = loop === true ? Number.POSITIVE_INFINITY : loop;
    let settle: (result: PlayResult) => void = () => {};
    const result = new Promise<PlayResult>((resolve) => {
      settle = resolve;
    });
    const undo: (() => void)[] = [];
    const end = (ended: PlayResult): void => {
      if (this.#current?.playback === playback) this.#current = undefined;
      for (const each of undo.splice(0)) each();
      playback.close();
      settle(ended);
    };
    const playback = new Playback({ sound, rounds, startMs, onEnd: end });
    const stop = (): void => end({ kind: 'stopped', positionMs: playback.positionMs });
    const playing = new Playing(result, controlsOf(playback, stop));
    if (signal?.aborted === true || this.#session.signal.aborted) {
      stop();
      return playing;
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
    return playing;
  }

  stop(): void {
    this.#current?.stop();
  }

  /** Stands still; silence is sent. */
  pause(): void {
    this.#current?.playback.pause();
  }

  resume(): void {
    this.#current?.playback.resume();
  }

  /** Goes on from another place of the present round. */
  seek(positionMs: number): void {
    this.#current?.playback.seek(positionMs);
  }
}

/** Of one playback, whatever the player plays by then. */
function controlsOf(playback: Playback, stop: () => void): PlayControls {
  return {
    get positionMs() {
      return playback.positionMs;
    },
    get paused() {
      return playback.paused;
    },
    pause: () => playback.pause(),
    resume: () => playback.resume(),
    seek: (positionMs) => playback.seek(positionMs),
    stop,
  };
}

/** One alone is played as it is: what many hear at once stays encoded. */
function oneSound(sounds: Sound | readonly Sound[]): Sound {
  if ('open' in sounds) return sounds;
  const [first] = sounds;
  return first !== undefined && sounds.length === 1 ? first : sequence(...sounds);
}
