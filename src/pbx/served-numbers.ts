import { UsageError } from '../base/errors.js';
import { CallControl } from '../call/control/call-control.js';
import { CallEndedError } from '../call/control/call-ended-error.js';
import type { Destination } from '../call/route.js';
import type { OpenAudio } from '../call/server-audio.js';
import { isNumber } from '../directory/extension.js';
import type { ToneCountry } from '../protocol/audio/tone-plans.js';

/** Serves a call to a number in plain code; the call ends when the promise settles. */
export type OnCall = (call: CallControl) => Promise<void> | void;

/** The numbers that the host app serves itself. */
export class ServedNumbers {
  readonly #openAudio: OpenAudio;
  readonly #country: ToneCountry;
  readonly #handlers = new Map<string, OnCall>();

  /** `country`: whose tones are played. */
  constructor(openAudio: OpenAudio, country: ToneCountry) {
    this.#openAudio = openAudio;
    this.#country = country;
  }

  /**
   * Calls to `number` are served by `handler` until the returned function is called; an extension of that number is not called meanwhile.
   * @throws UsageError (PBX_INVALID_ARGUMENT) for a number that is none, or that is served already
   */
  set(number: string, handler: OnCall): () => void {
    if (!isNumber(number))
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `onCall: found "${String(number)}", expected a number such as "700"`,
      );
    if (this.#handlers.has(number))
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `onCall: ${number} is served already; call the function that onCall returned first`,
      );
    this.#handlers.set(number, handler);
    return () => {
      if (this.#handlers.get(number) === handler) this.#handlers.delete(number);
    };
  }

  /** Who serves a number; undefined: nobody of the host's. */
  destination(number: string): Destination | undefined {
    const handler = this.#handlers.get(number);
    if (handler === undefined) return undefined;
    return {
      kind: 'handler',
      run: async (handled, signal) => {
        const call = new CallControl(handled, signal, this.#openAudio, this.#country);
        try {
          await handler(call);
        } catch (error) {
          // The caller has hung up, and the handler let the step that waited through.
          if (!(error instanceof CallEndedError)) throw error;
        } finally {
          await call.release();
        }
      },
    };
  }
}
