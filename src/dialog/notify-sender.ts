import type { EventValue } from '../protocol/sip/header/event.js';
import type { HeaderInit } from '../protocol/sip/message.js';
import type { UacFailure } from '../ua/uac-request.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { sendInDialog } from './dialog-request.js';

/** Why a subscription ends (RFC 6665 §4.1.3). */
export type TerminationReason =
  | 'deactivated'
  | 'probation'
  | 'rejected'
  | 'timeout'
  | 'giveup'
  | 'noresource'
  | 'invariant';

/** The value of Subscription-State (RFC 6665 §8.2.3). */
export type NotifiedState =
  | { readonly state: 'active' | 'pending'; readonly expiresSeconds: number }
  | { readonly state: 'terminated'; readonly reason: TerminationReason; readonly retryAfterSeconds?: number };

/** What a NOTIFY says. */
export interface Notification {
  readonly state: NotifiedState;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: HeaderInit;
}

export interface NotifySenderOptions {
  readonly context: Pick<DialogContext, 'uac' | 'allow'>;
  readonly dialog: Dialog;
  readonly event: EventValue;
  /** A NOTIFY was refused, or nobody answers it: the subscription is to be removed (RFC 6665 §4.2.2). */
  readonly onFailed: (failure: UacFailure) => void;
}

/**
 * Sends the NOTIFYs of one subscription, one after another: the next leaves when the one before is answered, so that they
 * arrive in order over any transport. What is newer takes the place of what still waits: a NOTIFY tells the state as it is.
 */
export class NotifySender {
  readonly #options: NotifySenderOptions;
  #underWay = false;
  #waiting: { readonly make: () => Notification; readonly onDone: () => void } | undefined;
  #closed = false;

  constructor(options: NotifySenderOptions) {
    this.#options = options;
  }

  /** Sends what `make` gives at the moment of sending. `onDone`: it was answered, failed, or something newer was sent instead. */
  send(make: () => Notification, onDone: () => void = () => {}): void {
    if (this.#closed) return onDone();
    const older = this.#waiting;
    this.#waiting = { make, onDone };
    older?.onDone();
    if (!this.#underWay) this.#next();
  }

  /** Nothing leaves any more. */
  close(): void {
    this.#closed = true;
    const given = this.#waiting;
    // Whoever is told may close again.
    this.#waiting = undefined;
    given?.onDone();
  }

  #next(): void {
    const next = this.#waiting;
    if (next === undefined) return;
    this.#waiting = undefined;
    this.#underWay = true;
    const { context, dialog, event, onFailed } = this.#options;
    const { state, body, contentType, headers } = next.make();
    const request = dialog.createRequest('NOTIFY', {
      headers: { Event: event, 'Subscription-State': subscriptionState(state), Allow: context.allow, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    });
    const done = (): void => {
      this.#underWay = false;
      next.onDone();
      this.#next();
    };
    sendInDialog(context, dialog, request, {
      onSuccess: done,
      onFailure: (failure) => {
        if (!this.#closed && removes(failure)) {
          this.close();
          onFailed(failure);
        }
        done();
      },
    });
  }
}

/**
 * RFC 6665 §4.2.2 removes the subscription for some refusals and for silence. A subscriber that is only busy says so with
 * Retry-After: what is newer is sent to it when there is something.
 */
function removes(failure: UacFailure): boolean {
  return failure.kind !== 'response' || !failure.response.headers.has('Retry-After');
}

function subscriptionState(state: NotifiedState): { readonly state: string; readonly params: EventValue['params'] } {
  if (state.state !== 'terminated') {
    const seconds = Math.max(0, Math.ceil(state.expiresSeconds));
    return { state: state.state, params: [{ name: 'expires', value: String(seconds) }] };
  }
  const { reason, retryAfterSeconds } = state;
  const wait =
    retryAfterSeconds === undefined ? [] : [{ name: 'retry-after', value: String(Math.ceil(retryAfterSeconds)) }];
  return { state: 'terminated', params: [{ name: 'reason', value: reason }, ...wait] };
}
