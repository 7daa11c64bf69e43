import type { DtmfDigit } from '../../protocol/audio/dtmf.js';

/**
 * How playing ended: `finished` at its end; `stopped` by its signal, by `stop`, by another `play` or with the session; `interrupted` by a
 * key, which still counts for the next `collect`; `failed` because the sound could not be read: `error` says why.
 */
export type PlayResult = { readonly positionMs: number } & (
  | { readonly kind: 'finished' | 'stopped' }
  | { readonly kind: 'interrupted'; readonly digit: DtmfDigit }
  | { readonly kind: 'failed'; readonly error: unknown }
);

/** By what a playback is steered. Once it has ended, nothing has an effect any more. */
export interface PlayControls {
  /** What has been heard of the present round, in milliseconds from its start; after the end, where that was. */
  readonly positionMs: number;
  readonly paused: boolean;
  /** Stands still; silence is sent. */
  pause(): void;
  /** Goes on where it stood still. */
  resume(): void;
  /**
   * Goes on from another place of the present round, in milliseconds from its start: of several sounds in turn, of the first one. Behind
   * the end of the round is its end. A playback that stands still stays so.
   * @throws UsageError (PBX_INVALID_ARGUMENT) for what is no number of milliseconds
   */
  seek(positionMs: number): void;
  /** Ends it; the result is `stopped`. */
  stop(): void;
}

/** Something that is being played: it is awaited for how it ends, and steered meanwhile. */
export class Playing extends Promise<PlayResult> implements PlayControls {
  readonly #controls: PlayControls | undefined;

  /** `controls`: absent where nothing is played. */
  constructor(result: Promise<PlayResult>, controls?: PlayControls) {
    super((resolve, reject) => {
      result.then(resolve, reject);
    });
    this.#controls = controls;
  }

  /** What `then` and `catch` give is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  get positionMs(): number {
    return this.#controls?.positionMs ?? 0;
  }

  get paused(): boolean {
    return this.#controls?.paused ?? false;
  }

  pause(): void {
    this.#controls?.pause();
  }

  resume(): void {
    this.#controls?.resume();
  }

  seek(positionMs: number): void {
    this.#controls?.seek(positionMs);
  }

  stop(): void {
    this.#controls?.stop();
  }
}
