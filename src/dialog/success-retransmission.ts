import type { Cancel, Scheduler } from '../base/scheduler.js';

const T1_MS = 500;
const T2_MS = 4000;

/**
 * Repeats a 2xx to an INVITE until its ACK comes: after T1, doubling up to T2, and gives up at 64·T1. The core does
 * this, not the transaction, and over every transport (RFC 3261 §13.3.1.4).
 */
export class SuccessRetransmission {
  readonly #scheduler: Scheduler;
  readonly #send: () => void;
  readonly #giveUp: () => void;
  readonly #deadline: number;
  #interval = T1_MS;
  #cancel: Cancel;

  constructor(options: { readonly scheduler: Scheduler; readonly send: () => void; readonly giveUp: () => void }) {
    this.#scheduler = options.scheduler;
    this.#send = options.send;
    this.#giveUp = options.giveUp;
    this.#deadline = options.scheduler.now() + 64 * T1_MS;
    this.#cancel = this.#scheduler.after(this.#interval, () => this.#again());
  }

  /** The ACK has come, or nobody waits for it any more. */
  stop(): void {
    this.#cancel();
  }

  #again(): void {
    const now = this.#scheduler.now();
    if (now >= this.#deadline) return this.#giveUp();
    this.#interval = Math.min(2 * this.#interval, T2_MS);
    this.#cancel = this.#scheduler.at(Math.min(now + this.#interval, this.#deadline), () => this.#again());
    this.#send();
  }
}
