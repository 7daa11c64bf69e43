import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { RAck } from '../protocol/sip/header/registry.js';

const T1_MS = 500;
/** The first number is drawn below this (RFC 3262 §3). */
const FIRST_RSEQ_BELOW = 2 ** 31 - 2;

/** What a reliable provisional response says about the session. */
export type Told = 'offer' | 'answer' | 'nothing';

export interface ReliableResponse {
  readonly told: Told;
  /** Sends it for the first time, with this RSeq; gives what sends the same bytes again. */
  readonly send: (rseq: number) => () => void;
}

export interface Outstanding {
  readonly told: Told;
  readonly rseq: number;
}

interface Waiting extends Outstanding {
  readonly resend: () => void;
  readonly deadline: number;
  interval: number;
  cancel: Cancel;
}

/** A callee that never stops ringing must not fill the memory while the caller acknowledges nothing. */
const MOST_WAITING = 32;

export interface ReliableProvisionalsOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The CSeq number of the INVITE. */
  readonly sequence: number;
  /** No PRACK came for 64·T1: the INVITE should be refused with a 5xx. */
  readonly onTimeout: () => void;
}

/**
 * The reliable provisional responses of one early dialog (RFC 3262 §3): numbered from a random start, each repeated after T1,
 * 2·T1, 4·T1 … without an upper bound until its PRACK comes, the next one held back until then. A caller sees the numbers
 * of each To tag count up by themselves, as behind a forking proxy.
 */
export class ReliableProvisionals {
  readonly #options: ReliableProvisionalsOptions;
  readonly #queue: ReliableResponse[] = [];
  readonly #listeners: (() => void)[] = [];
  #last = 0;
  #waiting: Waiting | undefined;
  #stopped = false;

  constructor(options: ReliableProvisionalsOptions) {
    this.#options = options;
  }

  /** True while a response with a description waits for its PRACK, or for its turn: no 2xx may be sent then (§3). */
  get describing(): boolean {
    if (this.#stopped) return false;
    return (
      (this.#waiting !== undefined && this.#waiting.told !== 'nothing') ||
      this.#queue.some(({ told }) => told !== 'nothing')
    );
  }

  /** Something may still be acknowledged. */
  get outstanding(): boolean {
    return this.#waiting !== undefined;
  }

  /** Sends a response, or keeps it until the one before is acknowledged. Beyond 32 that wait only descriptions are kept. */
  push(response: ReliableResponse): void {
    if (this.#stopped) return;
    if (this.#waiting === undefined) this.#send(response);
    else if (response.told !== 'nothing' || this.#queue.length < MOST_WAITING) this.#queue.push(response);
  }

  /** The response that this RAck names (§7.2); undefined: none that waits, the PRACK gets 481. */
  match({ rseq, cseq, method }: RAck): Outstanding | undefined {
    const waiting = this.#waiting;
    const named = waiting?.rseq === rseq && cseq === this.#options.sequence && method === 'INVITE';
    return named ? waiting : undefined;
  }

  /** The PRACK of the response that waits was accepted. */
  acknowledge(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
    const next = this.#queue.shift();
    if (next !== undefined) this.#send(next);
    if (this.describing) return;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  /** Calls `listener` when no description waits any more, or nothing is sent any more. */
  whenSettled(listener: () => void): void {
    if (this.describing) this.#listeners.push(listener);
    else listener();
  }

  /** A final response is sent: nothing is repeated, but a PRACK that is on its way still finds its response (§3). */
  stop(): void {
    this.#stopped = true;
    this.#waiting?.cancel();
    this.#queue.length = 0;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  #send(response: ReliableResponse): void {
    const { scheduler, random } = this.#options;
    this.#last = this.#last === 0 ? 1 + random.integer(FIRST_RSEQ_BELOW) : this.#last + 1;
    const waiting: Waiting = {
      told: response.told,
      rseq: this.#last,
      resend: response.send(this.#last),
      deadline: scheduler.now() + 64 * T1_MS,
      interval: T1_MS,
      cancel: scheduler.after(T1_MS, () => this.#again(waiting)),
    };
    this.#waiting = waiting;
  }

  #again(waiting: Waiting): void {
    const { scheduler, onTimeout } = this.#options;
    const now = scheduler.now();
    if (now >= waiting.deadline) {
      this.stop();
      return onTimeout();
    }
    waiting.interval *= 2;
    waiting.cancel = scheduler.at(Math.min(now + waiting.interval, waiting.deadline), () => this.#again(waiting));
    waiting.resend();
  }
}
