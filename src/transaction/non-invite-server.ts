import type { Millis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import { TimerTable } from '../base/timer-table.js';
import type { SipResponse } from '../protocol/sip/message.js';
import { NOTHING, type ServerEffect } from './effects.js';
import { NON_INVITE_TRYING_AFTER, TRANSACTION_TIMEOUT } from './timers.js';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

/**
 * Server transaction of every method but INVITE and ACK: RFC 3261 §17.2.2, RFC 4320 §4. A request that the user has
 * not answered when its sender has given up (timer F there) is never answered: a late response only does harm.
 */
export class NonInviteServerMachine {
  #state: NonInviteServerState = 'trying';
  #last: SipResponse | undefined;
  readonly #timers = new TimerTable<'trying' | 'expiry' | 'J'>();
  readonly #reliable: boolean;
  readonly #trying: () => SipResponse;

  /** `trying` makes the 100 that is sent when the user is slow. */
  constructor(reliable: boolean, trying: () => SipResponse, now: Millis) {
    this.#reliable = reliable;
    this.#trying = trying;
    this.#timers.set('trying', now + NON_INVITE_TRYING_AFTER);
    this.#timers.set('expiry', now + TRANSACTION_TIMEOUT);
  }

  get state(): NonInviteServerState {
    return this.#state;
  }

  get terminated(): boolean {
    return this.#state === 'terminated';
  }

  /** Only retransmissions may still come: the next deadline is the end. */
  get lingers(): boolean {
    return this.#state === 'completed';
  }

  get nextDeadline(): Millis | undefined {
    return this.#timers.next;
  }

  /** The response that a retransmission of the request would get. */
  get lastResponse(): SipResponse | undefined {
    return this.#last;
  }

  /** Whether the user may give a response now: only before the final one. */
  accepts(_status: number): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding';
  }

  /**
   * A response of the user; one that `accepts` refuses is ignored. What RFC 4320 forbids on the wire is swallowed: a
   * provisional response (the machine itself sends the 100 in time) and a 408, which ends the transaction in silence.
   */
  respond(response: SipResponse, now: Millis): readonly ServerEffect[] {
    if (!this.accepts(response.status)) return NOTHING;
    if (response.status < 200 && !(response.status === 100 && this.#reliable)) return NOTHING;
    if (response.status < 200) {
      this.#state = 'proceeding';
      this.#timers.clear('trying');
      this.#last = response;
      return [{ type: 'send', response }];
    }
    const silent = response.status === 408;
    this.#last = silent ? undefined : response;
    this.#timers.clearAll();
    if (this.#reliable) {
      this.#state = 'terminated';
    } else {
      this.#state = 'completed';
      this.#timers.set('J', now + TRANSACTION_TIMEOUT);
    }
    return silent ? NOTHING : [{ type: 'send', response }];
  }

  /** The request came again. */
  onRetransmission(): readonly ServerEffect[] {
    if (this.#last === undefined || this.#state === 'terminated') return NOTHING;
    return [{ type: 'send', response: this.#last }];
  }

  /** One due timer; call again until nothing is due. */
  onTimer(now: Millis): readonly ServerEffect[] {
    const timer = this.#timers.takeDue(now);
    switch (timer) {
      case undefined:
        return NOTHING;
      case 'trying':
        this.#state = 'proceeding';
        this.#last = this.#trying();
        return [{ type: 'send', response: this.#last }];
      case 'expiry':
        this.#terminate();
        return [{ type: 'timeout' }];
      case 'J':
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
