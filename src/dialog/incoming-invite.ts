import { UsageError } from '../base/errors.js';
import type { Cancel } from '../base/scheduler.js';
import type { HeaderInit, SipRequest } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import type { DialogContext, DialogUsage } from './context.js';
import { Dialog } from './dialog.js';
import { InviteSession } from './invite-session.js';
import { sameButOrigin } from './local-description.js';
import { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

export interface ProgressOptions {
  /** 101–199. */
  readonly status: number;
  readonly reason?: string;
  /** Early media: the answer, told before the call is answered. */
  readonly sdp?: string;
  /** Which of several answering sources this comes from; each has an early dialog of its own. */
  readonly branch?: string;
  readonly headers?: HeaderInit;
}

export interface AcceptOptions {
  /** The answer; or an offer when the INVITE had none. */
  readonly sdp: string | undefined;
  readonly branch?: string;
  readonly headers?: HeaderInit;
}

export interface RejectOptions {
  /** 300–699. */
  readonly status: number;
  readonly reason?: string;
  readonly headers?: HeaderInit;
}

/** Why nobody waits for the answer any more. */
export interface Abandoned {
  readonly cause: 'cancel' | 'bye' | 'expired';
  /** Reason header fields of the CANCEL or BYE (RFC 3326). */
  readonly reason: readonly string[];
}

/** Answering sources of one INVITE that get a To tag of their own before the answer. */
const MAX_EARLY_DIALOGS = 32;

interface EarlyDialog {
  readonly dialog: Dialog;
  readonly negotiation: Negotiation;
  readonly sdp: string | undefined;
  readonly unregister: () => void;
}

/** An INVITE that came in, until it is answered: RFC 3261 §13.3. */
export class IncomingInvite {
  readonly request: SipRequest;
  readonly source: Source;
  /** The offer; undefined when we are asked to make one. */
  readonly sdp: string | undefined;
  readonly #context: DialogContext;
  readonly #incoming: IncomingRequest;
  readonly #contact: NameAddr;
  readonly #abort = new AbortController();
  readonly #early = new Map<string, EarlyDialog>();
  #onAbandoned: (abandoned: Abandoned) => void = () => {};
  #state: 'open' | 'accepted' | 'rejected' | 'abandoned' = 'open';
  #cancelExpiry: Cancel = () => {};
  #firstTagUsed = false;

  /** @throws SipParseError when a header that opens the dialog is malformed. */
  constructor(context: DialogContext, incoming: IncomingRequest, contactUser: string) {
    this.#context = context;
    this.#incoming = incoming;
    this.request = incoming.request;
    this.source = incoming.source;
    this.sdp = sessionDescription(incoming.request);
    // Read now, so that a header that a dialog needs and that cannot be read is refused with 400 before anything starts.
    const contact = incoming.request.headers.get('Contact');
    if (contact === undefined || contact === '*') {
      const found = contact ?? 'none';
      throw new SipParseError(`expected one address in the Contact of an INVITE, found ${found}`, {
        header: 'Contact',
      });
    }
    incoming.request.headers.get('Record-Route');
    this.#contact = context.contactFor(incoming.source, contactUser);
    const expires = incoming.request.headers.get('Expires');
    if (expires !== undefined && expires > 0) {
      this.#cancelExpiry = context.scheduler.after(expires * 1000, () =>
        this.#abandon({ cause: 'expired', reason: [] }),
      );
    }
    incoming.transaction.onCancel((cancel) => this.#abandon({ cause: 'cancel', reason: cancel.headers.raw('Reason') }));
  }

  /** Fires when the caller gives up: 487 has been sent already. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Calls `listener` when the caller gives up (CANCEL, BYE in the early dialog, or the Expires of the INVITE). */
  onAbandoned(listener: (abandoned: Abandoned) => void): void {
    this.#onAbandoned = listener;
  }

  /** Sends a provisional response. Does nothing when the caller has given up, or for a source beyond the 32nd. */
  progress(options: ProgressOptions): void {
    const { branch = '' } = options;
    if (this.#state !== 'open' || (this.#early.size >= MAX_EARLY_DIALOGS && !this.#early.has(branch))) return;
    const early = this.#earlyDialog(branch, options.sdp);
    this.#incoming.respond(options.status, {
      toTag: early.dialog.id.localTag,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      headers: { Contact: [this.#contact], Allow: this.#context.allow, ...options.headers },
      ...(options.sdp === undefined ? {} : { body: early.negotiation.preview(options.sdp), contentType: SDP_TYPE }),
    });
  }

  /**
   * Answers 200. The session repeats it until the ACK comes (RFC 3261 §13.3.1.4). Undefined when the caller has given
   * up meanwhile. @throws UsageError (SIP_WRONG_STATE) when it is answered already.
   */
  accept(options: AcceptOptions): InviteSession | undefined {
    if (this.#state === 'abandoned') return undefined;
    if (this.#state !== 'open') throw new UsageError('SIP_WRONG_STATE', 'this INVITE is answered already');
    const early = this.#earlyDialog(options.branch ?? '', options.sdp);
    this.#settle('accepted');
    const { dialog, negotiation } = early;
    dialog.confirmLocally();
    const session = new InviteSession(this.#context, dialog, negotiation);
    const { sdp } = options;
    const body =
      sdp === undefined ? undefined : this.sdp === undefined ? negotiation.offer(sdp) : negotiation.answer(sdp);
    const response = this.#incoming.respond(200, {
      toTag: dialog.id.localTag,
      headers: { Contact: [this.#contact], Allow: this.#context.allow, ...options.headers },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
    session.awaitAck(
      this.request.cseq.sequence,
      this.sdp === undefined,
      () => this.#incoming.transaction.respond(response),
      (answer) => session.notifyAcknowledged(answer),
    );
    return session;
  }

  /** Answers with a failure or a redirection. Does nothing when the caller has given up or an answer was sent. */
  reject(options: RejectOptions): void {
    if (this.#state !== 'open') return;
    this.#settle('rejected');
    this.#incoming.respond(options.status, {
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.headers === undefined ? {} : { headers: options.headers }),
    });
  }

  /**
   * The early dialog of `branch`: one To tag for each answering source, and another one when a source answers
   * differently from what it said before, because one To tag never sees two different answers.
   */
  #earlyDialog(branch: string, sdp: string | undefined): EarlyDialog {
    const known = this.#early.get(branch);
    if (known !== undefined && (sdp === undefined || known.sdp === undefined || sameButOrigin(known.sdp, sdp))) {
      const updated = sdp === undefined ? known : { ...known, sdp };
      this.#early.set(branch, updated);
      return updated;
    }
    known?.unregister();
    const tag = this.#firstTagUsed ? this.#context.random.token(64) : this.#incoming.toTag;
    this.#firstTagUsed = true;
    const dialog = Dialog.uas(this.request, tag, this.#contact, 'early', this.source);
    const negotiation = Negotiation.create(this.#context.random);
    if (this.sdp !== undefined) negotiation.offered(this.sdp);
    const early = { dialog, negotiation, sdp, unregister: this.#context.register(dialog, this.#earlyUsage(dialog)) };
    this.#early.set(branch, early);
    return early;
  }

  /** What the caller may send before the answer: a BYE ends the attempt (RFC 5407 §3.1.3). */
  #earlyUsage(dialog: Dialog): DialogUsage {
    return {
      onAck: () => {},
      close: () => this.#cancelExpiry(),
      onRequest: (incoming) => {
        if (!dialog.acceptSequence(incoming.request)) {
          incoming.respond(500, { reason: 'CSeq Out Of Order' });
        } else if (incoming.request.method === 'BYE') {
          incoming.respond(200);
          this.#abandon({ cause: 'bye', reason: incoming.request.headers.raw('Reason') });
        } else if (incoming.request.method === 'INVITE') {
          incoming.respond(500, { headers: { 'Retry-After': String(this.#context.random.integer(11)) } });
        } else if (incoming.request.method === 'OPTIONS') {
          incoming.respond(200, { headers: { Allow: this.#context.allow, Accept: SDP_TYPE } });
        } else {
          incoming.respond(405, { headers: { Allow: this.#context.allow } });
        }
      },
    };
  }

  #abandon(abandoned: Abandoned): void {
    if (this.#state !== 'open') return;
    this.#settle('abandoned');
    this.#incoming.respond(487);
    this.#abort.abort();
    this.#onAbandoned(abandoned);
  }

  #settle(state: 'accepted' | 'rejected' | 'abandoned'): void {
    this.#state = state;
    this.#cancelExpiry();
    for (const early of this.#early.values()) early.unregister();
    this.#early.clear();
  }
}
