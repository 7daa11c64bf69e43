import type { Scheduler } from '../base/scheduler.js';
import { SuccessRetransmission } from './success-retransmission.js';

/** A 2xx of ours that is repeated until its ACK comes. */
export interface PendingAck {
  /** True when the 2xx carried an offer, which the ACK must answer. */
  readonly offered: boolean;
  /** Sends the 2xx once more. */
  readonly send: () => void;
  /** The ACK has come; with the description in it. */
  readonly onAck: (sdp: string | undefined) => void;
  /** The session ended before the ACK came. */
  readonly onGone?: () => void;
}

interface Pending {
  readonly ack: PendingAck;
  readonly retransmission: SuccessRetransmission;
}

/** Our 2xx responses of one dialog that still wait for their ACK, by CSeq number (RFC 3261 §13.3.1.4). */
export class PendingAcks {
  readonly #scheduler: Scheduler;
  readonly #onNoAck: () => void;
  /** Absent when none waits: an established call has waited for all of them. */
  #pending: Map<number, Pending> | undefined;

  /** `onNoAck`: one of them never got its ACK. */
  constructor(scheduler: Scheduler, onNoAck: () => void) {
    this.#scheduler = scheduler;
    this.#onNoAck = onNoAck;
  }

  get size(): number {
    return this.#pending?.size ?? 0;
  }

  add(sequence: number, ack: PendingAck): void {
    const retransmission = new SuccessRetransmission({
      scheduler: this.#scheduler,
      send: ack.send,
      giveUp: this.#onNoAck,
    });
    this.#pending ??= new Map();
    this.#pending.set(sequence, { ack, retransmission });
  }

  /** The ACK with that CSeq number has come; undefined: nobody waits for it. */
  take(sequence: number): PendingAck | undefined {
    const found = this.#pending?.get(sequence);
    this.#pending?.delete(sequence);
    if (this.#pending?.size === 0) this.#pending = undefined;
    found?.retransmission.stop();
    return found?.ack;
  }

  /** Nothing is repeated any more, and no ACK expected. */
  end(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    for (const { ack, retransmission } of pending?.values() ?? []) {
      retransmission.stop();
      ack.onGone?.();
    }
  }
}
