import type { Millis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import { TimerTable } from '../base/timer-table.js';
import type { SipResponse } from '../protocol/sip/message.js';
import { type ClientEffect, NOTHING, SEND } from './effects.js';
import { T1, T2, T4, TRANSACTION_TIMEOUT } from './timers.js';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** Client transaction of every method but INVITE and ACK: RFC 3261 §17.1.2. */
export class NonInviteClientMachine {
  #state: NonInviteClientState = 'trying';
  #intervalE = T1;
  readonly #timers = new TimerTable<'E' | 'F' | 'K'>();
  readonly #reliable: boolean;

  constructor(reliable: boolean) {
    this.#reliable = reliable;
  }

  get state(): NonInviteClientState {
    return this.#state;
  }

  get terminated(): boolean {
    return this.#state === 'terminated';
  }

  /** Only repeated responses may come: the next deadline is the end. */
  get lingers(): boolean {
    return this.#state === 'completed';
  }

  get nextDeadline(): Millis | undefined {
    return this.#timers.next;
  }

  start(now: Millis): readonly ClientEffect[] {
    this.#timers.set('F', now + TRANSACTION_TIMEOUT);
    if (!this.#reliable) this.#timers.set('E', now + T1);
    return SEND;
  }

  onResponse(response: SipResponse, now: Millis): readonly ClientEffect[] {
    if (this.#state === 'completed' || this.#state === 'terminated') return NOTHING;
    if (response.status < 200) {
      // The timer E that runs is not touched: only its next interval is T2 (§17.1.2.2).
      this.#state = 'proceeding';
      return [{ type: 'deliver', response }];
    }
    this.#timers.clearAll();
    if (this.#reliable) {
      this.#state = 'terminated';
    } else {
      this.#state = 'completed';
      this.#timers.set('K', now + T4);
    }
    return [{ type: 'deliver', response }];
  }

  /** One due timer; call again until nothing is due. */
  onTimer(now: Millis): readonly ClientEffect[] {
    const timer = this.#timers.takeDue(now);
    switch (timer) {
      case undefined:
        return NOTHING;
      case 'E':
        this.#intervalE = this.#state === 'proceeding' ? T2 : Math.min(2 * this.#intervalE, T2);
        this.#timers.set('E', now + this.#intervalE);
        return SEND;
      case 'F':
        this.#terminate();
        return [{ type: 'timeout' }];
      case 'K':
        this.#terminate();
        return NOTHING;
      default:
        return assertNever(timer);
    }
  }

  /** The transport could not send; of no interest once the final response is there. */
  onTransportError(): readonly ClientEffect[] {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return NOTHING;
    this.#terminate();
    return [{ type: 'unsent' }];
  }

  #terminate(): void {
    this.#state = 'terminated';
    this.#timers.clearAll();
  }
}
