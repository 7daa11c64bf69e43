import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { JoinFailure } from './join.js';
import type { MediaDecision } from './media-path.js';

/** A call as far as it must be known where its media was told to be. */
interface TellingCall {
  readonly id: string;
  /** Whether its media goes through the server, and a party was told that it is at this IP address. */
  tellsMediaAt(address: string): boolean;
  moveMedia(decision: MediaDecision): Promise<JoinFailure>;
}

/** Between two calls: a change of address is no reason for a storm of re-INVITEs. */
const APART_MS = 100;

/**
 * The server has another address outside: who was told the old one for relayed media is offered it anew, one call after the other. What
 * both are told is made as for every offer, so that the party inside hears what it knows already.
 */
export class Readdressing {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #waiting = new Set<Cancel>();

  constructor({ scheduler, logger }: { readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#scheduler = scheduler;
    this.#logger = logger;
  }

  begin(calls: Iterable<TellingCall>, before: string): void {
    let delay = 0;
    for (const call of calls) {
      if (!call.tellsMediaAt(before)) continue;
      const cancel = this.#scheduler.after(delay, () => {
        this.#waiting.delete(cancel);
        // It may have been told meanwhile, by an offer of its own.
        if (call.tellsMediaAt(before)) void this.#move(call, before);
      });
      this.#waiting.add(cancel);
      delay += APART_MS;
    }
  }

  /** No timer is left. */
  end(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }

  async #move(call: TellingCall, before: string): Promise<void> {
    const callId = call.id;
    try {
      const failed = await call.moveMedia({ path: 'relay', reason: `the server is not at ${before} any more` });
      if (failed !== undefined)
        this.#logger.warn({ callId, ...failed }, 'a party could not be told the new address of the server');
    } catch (error) {
      this.#logger.error({ callId, err: error }, `a party could not be told the new address: ${errorText(error)}`);
    }
  }
}
