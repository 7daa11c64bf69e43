import type { Cancel } from '../base/scheduler.js';
import type { EventValue } from '../protocol/sip/header/event.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { getParam } from '../protocol/sip/params.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { DialogContext, DialogUsage } from './context.js';
import { Dialog } from './dialog.js';
import { type Notification, NotifySender, type TerminationReason } from './notify-sender.js';

/** How long subscriptions of a package last, in seconds. */
export interface SubscriptionSeconds {
  /** Shorter ones are refused with 423; at most 3600 (RFC 6665 §4.2.1.1). */
  readonly min: number;
  /** Longer ones are cut to this. */
  readonly max: number;
  /** For subscribers that do not say. */
  readonly default: number;
}

/** The state of the resource, as a NOTIFY carries it. */
export interface EventState {
  readonly body: string;
  readonly contentType: string;
}

export interface NotifierOptions {
  readonly incoming: IncomingRequest;
  readonly event: EventValue;
  readonly seconds: SubscriptionSeconds;
  /** `pending`: somebody must still be asked; then nothing of the resource is told (RFC 6665 §4.2.1.3). */
  readonly authorization: 'active' | 'pending';
  /** The state as it is at that moment; undefined when there is nothing to tell. `full`: the subscriber has just (re)subscribed. */
  readonly state: (full: boolean) => EventState | undefined;
  /** Once: the subscription is over. */
  readonly onEnded: () => void;
}

type State = 'active' | 'pending' | 'terminated';

/**
 * The notifier's side of one subscription, in a dialog of its own: RFC 6665 §4.2. Made by a SUBSCRIBE, which it answers; ends
 * when it expires, when the subscriber says so or cannot be reached, or by `terminate`.
 */
export class Notifier implements DialogUsage {
  readonly #context: DialogContext;
  readonly #options: NotifierOptions;
  readonly #dialog: Dialog;
  readonly #sender: NotifySender;
  readonly #unregister: () => void;
  #state: State;
  #expiresAt = 0;
  /** The next NOTIFY must tell everything. */
  #fullDue = false;
  #cancelExpiry: Cancel = () => {};

  private constructor(context: DialogContext, options: NotifierOptions, contactUser: string) {
    const { incoming, event, authorization } = options;
    this.#context = context;
    this.#options = options;
    this.#state = authorization;
    const contact = context.contactFor(incoming.source, contactUser);
    this.#dialog = Dialog.uas(incoming.request, incoming.toTag, contact, 'confirmed', incoming.source);
    this.#sender = new NotifySender({ context, dialog: this.#dialog, event, onFailed: () => this.#end() });
    this.#unregister = context.register(this.#dialog, this);
  }

  /**
   * Answers a SUBSCRIBE outside any dialog: 200 and the first NOTIFY, or 423. Undefined: refused, or the state was asked for
   * once only (Expires: 0, RFC 6665 §4.4.3).
   * @throws SipParseError when a header that opens the dialog is malformed
   */
  static accept(context: DialogContext, options: NotifierOptions, contactUser: string): Notifier | undefined {
    const expires = lifetime(options.incoming, options.seconds);
    if (expires === undefined) return undefined;
    const notifier = new Notifier(context, options, contactUser);
    notifier.#renew(options.incoming, expires);
    return notifier.#state === 'terminated' ? undefined : notifier;
  }

  get state(): State {
    return this.#state;
  }

  /** The resource has changed. */
  notify(): void {
    if (this.#state !== 'terminated') this.#send(false);
  }

  /** Somebody has allowed what was pending. */
  authorize(): void {
    if (this.#state !== 'pending') return;
    this.#state = 'active';
    this.#send(true);
  }

  /** Ends it from this side: the last NOTIFY (RFC 6665 §4.2.2). */
  terminate(reason: TerminationReason, retryAfterSeconds?: number): void {
    if (this.#state === 'terminated') return;
    const told = this.#state === 'active' && (reason === 'timeout' || reason === 'noresource');
    this.#state = 'terminated';
    this.#cancelExpiry();
    const state = {
      state: 'terminated',
      reason,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    } as const;
    this.#sender.send(
      () => ({ state, ...(told ? this.#options.state(true) : undefined) }),
      () => this.#unregister(),
    );
    this.#options.onEnded();
  }

  onRequest(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (!this.#dialog.acceptSequence(request)) {
      incoming.respond(500, { reason: 'CSeq Out Of Order' });
    } else if (this.#state === 'terminated') {
      incoming.respond(481);
    } else if (request.method !== 'SUBSCRIBE') {
      incoming.respond(405, { headers: { Allow: this.#context.allow } });
    } else if (!sameEvent(request, this.#options.event)) {
      incoming.respond(481);
    } else {
      const expires = lifetime(incoming, this.#options.seconds);
      if (expires === undefined) return;
      this.#dialog.refreshTarget(request, incoming.source);
      this.#renew(incoming, expires);
    }
  }

  onAck(): void {}

  close(): void {
    this.terminate('deactivated');
    this.#unregister();
  }

  /** Answers 200 and tells the state at once (RFC 6665 §4.2.1.2). */
  #renew(incoming: IncomingRequest, expires: number): void {
    this.#cancelExpiry();
    incoming.respond(200, { headers: { Expires: expires, Contact: [this.#dialog.localContact] } });
    if (expires === 0) return this.terminate('timeout');
    const { scheduler } = this.#context;
    this.#expiresAt = scheduler.now() + expires * 1000;
    this.#cancelExpiry = scheduler.after(expires * 1000, () => this.terminate('timeout'));
    this.#send(true);
  }

  #send(full: boolean): void {
    this.#fullDue ||= full;
    this.#sender.send(() => this.#notification());
  }

  #notification(): Notification {
    const full = this.#fullDue;
    this.#fullDue = false;
    const expiresSeconds = (this.#expiresAt - this.#context.scheduler.now()) / 1000;
    if (this.#state !== 'active') return { state: { state: 'pending', expiresSeconds } };
    return { state: { state: 'active', expiresSeconds }, ...this.#options.state(full) };
  }

  /** The subscriber refuses a NOTIFY, or is silent (RFC 6665 §4.2.2). */
  #end(): void {
    this.#cancelExpiry();
    this.#unregister();
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#options.onEnded();
  }
}

/** Whether the Event of a request names this subscription: package, compared exactly, and `id` (RFC 6665 §8.2.1). */
export function sameEvent(request: SipRequest, event: EventValue): boolean {
  const named = request.headers.get('Event');
  return named?.package === event.package && getParam(named.params, 'id') === getParam(event.params, 'id');
}

/** What is granted; undefined when the SUBSCRIBE was answered 423 (RFC 6665 §4.2.1.1). */
function lifetime(incoming: IncomingRequest, seconds: SubscriptionSeconds): number | undefined {
  const wanted = incoming.request.headers.get('Expires') ?? seconds.default;
  if (wanted > 0 && wanted < seconds.min && wanted < 3600) {
    incoming.respond(423, { headers: { 'Min-Expires': seconds.min } });
    return undefined;
  }
  return Math.min(wanted, seconds.max);
}
