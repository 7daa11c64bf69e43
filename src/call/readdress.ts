import type { Millis } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { JoinFailure } from './join.js';
import type { MediaDecision } from './media-path.js';

/** A call as far as it must be known where its media was told to be. */
export interface TellingCall {
  readonly id: string;
  /** Whether its media goes through the server, and a party was told that it is at this IP address. */
  tellsMediaAt(address: string): boolean;
  /** `isWanted` is asked when the call's turn has come. */
  moveMedia(decision: MediaDecision, isWanted: () => boolean): Promise<JoinFailure>;
}

/** Between two calls: a change of address is no reason for a storm of re-INVITEs. */
const APART_MS = 100;
/** To look at a call is to read its descriptions: so many at a time, for there may be thousands. */
const LOOKED_AT_ONCE = 20;
const LOOK_AGAIN_MS = 10;
/** Whoever is rung meanwhile has answered by then. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * The server has another address outside: who was told the old one for relayed media is offered it anew, one call after the other; a call
 * that is answered or changed later, when its turn comes. What both are told is made as for every offer, so that the party inside hears what
 * it knows already.
 */
export class Readdressing {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #waiting = new Set<Cancel>();
  /** Addresses that are ours no longer, and until when they are kept in mind. */
  readonly #former = new Map<string, Millis>();

  constructor({ scheduler, logger }: { readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#scheduler = scheduler;
    this.#logger = logger;
  }

  /** `calls` is walked through bit by bit, and may change meanwhile. */
  begin(calls: Iterable<TellingCall>, before: string, now: string): void {
    this.#former.delete(now);
    this.#former.set(before, this.#scheduler.now() + REMEMBERED_MS);
    this.#walk(calls[Symbol.iterator](), before);
  }

  /** Two have begun to talk, or have agreed on something else: what was offered before the change may have been answered after it. */
  look(call: TellingCall): void {
    for (const [before, until] of this.#former) {
      if (until <= this.#scheduler.now()) this.#former.delete(before);
      else if (call.tellsMediaAt(before)) void this.#move(call, before);
    }
  }

  /** No timer is left. */
  end(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
    this.#former.clear();
  }

  #walk(calls: Iterator<TellingCall>, before: string): void {
    for (let looked = 0; looked < LOOKED_AT_ONCE; looked++) {
      const { done, value: call } = calls.next();
      if (done === true) return;
      if (!this.#isTold(call, before)) continue;
      void this.#move(call, before);
      this.#later(APART_MS, () => this.#walk(calls, before));
      return;
    }
    this.#later(LOOK_AGAIN_MS, () => this.#walk(calls, before));
  }

  #later(delayMs: Millis, task: () => void): void {
    const cancel = this.#scheduler.after(delayMs, () => {
      this.#waiting.delete(cancel);
      task();
    });
    this.#waiting.add(cancel);
  }

  /** Not once the address is ours again. */
  #isTold(call: TellingCall, before: string): boolean {
    return this.#former.has(before) && call.tellsMediaAt(before);
  }

  async #move(call: TellingCall, before: string): Promise<void> {
    const callId = call.id;
    try {
      // It may be told meanwhile, by an offer of its own or for another socket's change.
      const isWanted = (): boolean => this.#isTold(call, before);
      const failed = await call.moveMedia(
        { path: 'relay', reason: `the server is not at ${before} any more` },
        isWanted,
      );
      if (failed !== undefined)
        this.#logger.warn({ callId, ...failed }, 'a party could not be told the new address of the server');
    } catch (error) {
      this.#logger.error({ callId, err: error }, `a party could not be told the new address: ${errorText(error)}`);
    }
  }
}
