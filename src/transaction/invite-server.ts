import type { Millis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import { TimerTable } from '../base/timer-table.js';
import type { SipResponse } from '../protocol/sip/message.js';
import { NOTHING, type ServerEffect } from './effects.js';
import { T1, T2, T4, TRANSACTION_TIMEOUT, TRYING_AFTER } from './timers.js';

export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

/**
 * INVITE server transaction: RFC 3261 §17.2.1, RFC 6026 §7.1. A failure to send a response changes nothing here
 * (RFC 6026 §6): the state is kept to absorb retransmissions of the INVITE.
 */
export class InviteServerMachine {
  #state: InviteServerState = 'proceeding';
  #last: SipResponse | undefined;
  #intervalG = T1;
  readonly #timers = new TimerTable<'trying' | 'G' | 'H' | 'I' | 'L'>();
  readonly #reliable: boolean;
  readonly #trying: () => SipResponse;

  /** `trying` makes the 100 that is sent when the user is slow. */
  constructor(reliable: boolean, trying: () => SipResponse, now: Millis) {
    this.#reliable = reliable;
    this.#trying = trying;
    this.#timers.set('trying', now + TRYING_AFTER);
  }

  get state(): InviteServerState {
    return this.#state;
  }

  get terminated(): boolean {
    return this.#state === 'terminated';
  }

  /** Only ACKs and retransmissions may still come: the next deadline is the end. */
  get lingers(): boolean {
    return this.#state === 'accepted' || this.#state === 'confirmed';
  }

  get nextDeadline(): Millis | undefined {
    return this.#timers.next;
  }

  /** The response that a retransmission of the INVITE would get. */
  get lastResponse(): SipResponse | undefined {
    return this.#last;
  }

  /** Whether the user may give this response now: anything before the final one, and a 2xx again in Accepted. */
  accepts(status: number): boolean {
    if (this.#state === 'proceeding') return true;
    return this.#state === 'accepted' && status >= 200 && status < 300;
  }

  /** A response of the user; one that `accepts` refuses is ignored. */
  respond(response: SipResponse, now: Millis): readonly ServerEffect[] {
    if (!this.accepts(response.status)) return NOTHING;
    this.#last = response;
    this.#timers.clear('trying');
    if (this.#state === 'proceeding' && response.status >= 300) {
      this.#state = 'completed';
      this.#timers.set('H', now + TRANSACTION_TIMEOUT);
      if (!this.#reliable) this.#timers.set('G', now + T1);
    } else if (this.#state === 'proceeding' && response.status >= 200) {
      this.#state = 'accepted';
      this.#timers.set('L', now + TRANSACTION_TIMEOUT);
    }
    return [{ type: 'send', response }];
  }

  /** The INVITE came again. */
  onRetransmission(): readonly ServerEffect[] {
    if (this.#last === undefined || (this.#state !== 'proceeding' && this.#state !== 'completed')) return NOTHING;
    return [{ type: 'send', response: this.#last }];
  }

  /** An ACK that matches this transaction. */
  onAck(now: Millis): readonly ServerEffect[] {
    switch (this.#state) {
      case 'accepted':
        return [{ type: 'ack-to-user' }];
      case 'completed':
        this.#timers.clearAll();
        if (this.#reliable) {
          this.#state = 'terminated';
        } else {
          this.#state = 'confirmed';
          this.#timers.set('I', now + T4);
        }
        return [{ type: 'acknowledged' }];
      case 'proceeding':
      case 'confirmed':
      case 'terminated':
        return NOTHING;
      default:
        return assertNever(this.#state);
    }
  }

  /** One due timer; call again until nothing is due. */
  onTimer(now: Millis): readonly ServerEffect[] {
    const timer = this.#timers.takeDue(now);
    switch (timer) {
      case undefined:
        return NOTHING;
      case 'trying':
        this.#last = this.#trying();
        return [{ type: 'send', response: this.#last }];
      case 'G':
        this.#intervalG = Math.min(2 * this.#intervalG, T2);
        this.#timers.set('G', now + this.#intervalG);
        return this.#last === undefined ? NOTHING : [{ type: 'send', response: this.#last }];
      case 'H':
        this.#terminate();
        return [{ type: 'timeout' }];
      case 'I':
      case 'L':
        this.#terminate();
        return NOTHING;
      default:
        return assertNever(timer);
    }
  }

  #terminate(): void {
    this.#state = 'terminated';
    this.#timers.clearAll();
  }
}
