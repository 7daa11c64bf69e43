import type { Millis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import { TimerTable } from '../base/timer-table.js';
import type { SipResponse } from '../protocol/sip/message.js';
import { type ClientEffect, NOTHING, SEND } from './effects.js';
import { T1, TIMER_D, TRANSACTION_TIMEOUT } from './timers.js';

export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/**
 * INVITE client transaction: RFC 3261 §17.1.1 and §9.1, RFC 6026 §7.2. `start` once, then feed it; each input is one
 * mutation and returns what is to be done, in order.
 */
export class InviteClientMachine {
  #state: InviteClientState = 'calling';
  #intervalA = T1;
  #cancelling = false;
  readonly #timers = new TimerTable<'A' | 'B' | 'D' | 'M' | 'cancel'>();
  readonly #reliable: boolean;

  constructor(reliable: boolean) {
    this.#reliable = reliable;
  }

  get state(): InviteClientState {
    return this.#state;
  }

  get terminated(): boolean {
    return this.#state === 'terminated';
  }

  /** Only more 2xx may come: the next deadline is the end. */
  get lingers(): boolean {
    return this.#state === 'accepted';
  }

  get nextDeadline(): Millis | undefined {
    return this.#timers.next;
  }

  start(now: Millis): readonly ClientEffect[] {
    this.#timers.set('B', now + TRANSACTION_TIMEOUT);
    if (!this.#reliable) this.#timers.set('A', now + T1);
    return SEND;
  }

  onResponse(response: SipResponse, now: Millis): readonly ClientEffect[] {
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        return this.#progress(response, now);
      case 'accepted':
        return isSuccess(response) ? [{ type: 'deliver', response }] : NOTHING;
      case 'completed':
        return response.status >= 300 ? [{ type: 'ack', response }] : NOTHING;
      case 'terminated':
        return NOTHING;
      default:
        return assertNever(this.#state);
    }
  }

  /** Cancels as soon as a provisional response allows it; nothing happens once a final one has come. */
  cancel(now: Millis): readonly ClientEffect[] {
    if (this.#cancelling || (this.#state !== 'calling' && this.#state !== 'proceeding')) return NOTHING;
    this.#cancelling = true;
    return this.#state === 'proceeding' ? this.#sendCancel(now) : NOTHING;
  }

  /** One due timer; call again until nothing is due. */
  onTimer(now: Millis): readonly ClientEffect[] {
    const timer = this.#timers.takeDue(now);
    switch (timer) {
      case undefined:
        return NOTHING;
      case 'A':
        this.#intervalA *= 2;
        this.#timers.set('A', now + this.#intervalA);
        return SEND;
      case 'B':
      case 'cancel':
        this.#terminate();
        return [{ type: 'timeout' }];
      case 'D':
      case 'M':
        this.#terminate();
        return NOTHING;
      default:
        return assertNever(timer);
    }
  }

  /**
   * The transport could not send. Deviates: RFC 3261 also tells the user when the ACK could not be sent; here the user
   * hears of one outcome only, and it already has the final response.
   */
  onTransportError(): readonly ClientEffect[] {
    if (this.#state === 'calling') {
      this.#terminate();
      return [{ type: 'unsent' }];
    }
    if (this.#state === 'completed') this.#terminate();
    return NOTHING;
  }

  #progress(response: SipResponse, now: Millis): readonly ClientEffect[] {
    if (response.status < 200) {
      const first = this.#state === 'calling';
      this.#state = 'proceeding';
      this.#timers.clear('A');
      this.#timers.clear('B');
      const deliver: ClientEffect = { type: 'deliver', response };
      return first && this.#cancelling ? [deliver, ...this.#sendCancel(now)] : [deliver];
    }
    this.#timers.clearAll();
    if (isSuccess(response)) {
      this.#state = 'accepted';
      this.#timers.set('M', now + TRANSACTION_TIMEOUT);
      return [{ type: 'deliver', response }];
    }
    if (this.#reliable) {
      this.#state = 'terminated';
    } else {
      this.#state = 'completed';
      this.#timers.set('D', now + TIMER_D);
    }
    return [
      { type: 'ack', response },
      { type: 'deliver', response },
    ];
  }

  #sendCancel(now: Millis): readonly ClientEffect[] {
    this.#timers.set('cancel', now + TRANSACTION_TIMEOUT);
    return [{ type: 'cancel' }];
  }

  #terminate(): void {
    this.#state = 'terminated';
    this.#timers.clearAll();
  }
}

function isSuccess(response: SipResponse): boolean {
  return response.status >= 200 && response.status < 300;
}
