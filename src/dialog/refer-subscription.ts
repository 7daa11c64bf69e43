import type { Cancel } from '../base/scheduler.js';
import { getParam } from '../protocol/sip/params.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { DialogContext, DialogUsage } from './context.js';
import type { Dialog } from './dialog.js';
import { type Notification, NotifySender, type TerminationReason } from './notify-sender.js';

/** The media type of a fragment of a SIP message (RFC 3420), as NOTIFYs about a REFER carry it (RFC 3515 §2.4.5). */
const SIPFRAG = 'message/sipfrag;version=2.0';

/** How long the subscription lasts unless it is refreshed or the matter is settled: longer than a phone is let ring. */
const LIFETIME_SECONDS = 300;

/** The status line that a NOTIFY about a REFER tells. */
export interface ReferStatus {
  readonly status: number;
  readonly reason: string;
}

/**
 * The subscription that a REFER creates in its dialog (RFC 3515 §2.4.4, RFC 7647 §4): tells how the referred request goes.
 * It outlives the session of the dialog, because a phone may hang up as soon as its REFER is accepted (RFC 5057 §4.1).
 */
export class ReferSubscription implements DialogUsage {
  readonly #context: DialogContext;
  readonly #dialog: Dialog;
  readonly #id: string | undefined;
  readonly #sender: NotifySender;
  #last: ReferStatus = { status: 100, reason: 'Trying' };
  #expiresAt = 0;
  #cancelExpiry: Cancel = () => {};
  #state: 'active' | 'terminated' = 'active';
  #unregister: () => void = () => {};

  /** Tells "100 Trying" at once. `id`: the CSeq number of the REFER, when it is not the first of its dialog (§2.4.6). */
  constructor(context: DialogContext, dialog: Dialog, id: number | undefined) {
    this.#context = context;
    this.#dialog = dialog;
    this.#id = id === undefined ? undefined : String(id);
    const params = this.#id === undefined ? [] : [{ name: 'id', value: this.#id }];
    this.#sender = new NotifySender({
      context,
      dialog,
      event: { package: 'refer', params },
      onFailed: () => this.#end(),
    });
    this.#live(LIFETIME_SECONDS);
    this.#notify();
  }

  get ended(): boolean {
    return this.#state === 'terminated';
  }

  /** The referred request has got a provisional response. */
  progress(status: ReferStatus): void {
    if (this.#state !== 'active') return;
    this.#last = status;
    this.#notify();
  }

  /** The matter is settled: the last NOTIFY (RFC 3515 §2.4.7). `onDone`: the peer has it, or cannot be told. */
  finish(status: ReferStatus, onDone: () => void = () => {}): void {
    if (this.#state !== 'active') return onDone();
    this.#last = status;
    this.#terminate('noresource', onDone);
  }

  /** A SUBSCRIBE in this dialog: refreshes or ends this subscription. False: it is for another one. */
  take(incoming: IncomingRequest): boolean {
    const { headers, method } = incoming.request;
    if (method !== 'SUBSCRIBE' || this.#state !== 'active') return false;
    const event = headers.get('Event');
    if (event?.package !== 'refer' || getParam(event.params, 'id') !== this.#id) return false;
    const expires = Math.min(headers.get('Expires') ?? LIFETIME_SECONDS, LIFETIME_SECONDS);
    incoming.respond(200, { headers: { Expires: expires, Contact: [this.#dialog.localContact] } });
    if (expires === 0) this.#terminate('timeout');
    else {
      this.#live(expires);
      this.#notify();
    }
    return true;
  }

  /** The session of the dialog has ended: the dialog goes on as long as this subscription does (RFC 5057 §4.1). */
  outlive(): void {
    if (this.#state === 'active') this.#unregister = this.#context.register(this.#dialog, this);
  }

  onRequest(incoming: IncomingRequest): void {
    if (!this.#dialog.acceptSequence(incoming.request)) {
      incoming.respond(500, { reason: 'CSeq Out Of Order' });
    } else if (!this.take(incoming)) {
      incoming.respond(481);
    }
  }

  onAck(): void {}

  close(): void {
    this.#end();
  }

  #live(seconds: number): void {
    this.#cancelExpiry();
    this.#expiresAt = this.#context.scheduler.now() + seconds * 1000;
    this.#cancelExpiry = this.#context.scheduler.after(seconds * 1000, () => this.#terminate('timeout'));
  }

  #notify(): void {
    this.#sender.send(() => this.#notification('active'));
  }

  #terminate(reason: TerminationReason, onDone: () => void = () => {}): void {
    if (this.#state !== 'active') return onDone();
    this.#state = 'terminated';
    this.#cancelExpiry();
    this.#sender.send(
      () => this.#notification(reason),
      () => {
        this.#end();
        onDone();
      },
    );
  }

  #notification(reason: 'active' | TerminationReason): Notification {
    const { status, reason: phrase } = this.#last;
    const expiresSeconds = (this.#expiresAt - this.#context.scheduler.now()) / 1000;
    return {
      state: reason === 'active' ? { state: 'active', expiresSeconds } : { state: 'terminated', reason },
      body: `SIP/2.0 ${status} ${phrase}\r\n`,
      contentType: SIPFRAG,
    };
  }

  #end(): void {
    this.#state = 'terminated';
    this.#cancelExpiry();
    this.#sender.close();
    this.#unregister();
  }
}
