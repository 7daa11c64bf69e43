import { NOBODY_WAITS } from '../base/aborted.js';
import { UsageError } from '../base/errors.js';
import type { Cancel } from '../base/scheduler.js';
import type { HeaderInit, SipRequest } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import { narrow, type PeerTraits } from './allowed-formats.js';
import type { DialogContext } from './context.js';
import { type EarlyDialog, EarlyDialogs, type ProgressOptions, said } from './early-dialogs.js';
import type { EarlySession } from './early-session.js';
import { InviteSession } from './invite-session.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

export type { ProgressOptions } from './early-dialogs.js';

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
  /** `no-prack`: a reliable provisional response was never acknowledged. */
  readonly cause: 'cancel' | 'bye' | 'expired' | 'no-prack';
  /** Reason header fields of the CANCEL or BYE (RFC 3326). */
  readonly reason: readonly string[];
}

const NOBODY_LISTENS = (): void => {};

/** An INVITE that came in, until it is answered: RFC 3261 §13.3. */
export class IncomingInvite {
  readonly request: SipRequest;
  readonly source: Source;
  /** The offer, as far as the peer's `codecs` allow it; undefined when we are asked to make one. */
  readonly sdp: string | undefined;
  /** No audio format of the offer is allowed: it can only be refused. */
  readonly silent: boolean;
  readonly #context: DialogContext;
  readonly #incoming: IncomingRequest;
  readonly #contact: NameAddr;
  #abort: AbortController | undefined;
  readonly #early: EarlyDialogs;
  #onAbandoned: (abandoned: Abandoned) => void = NOBODY_LISTENS;
  #state: 'open' | 'accepted' | 'rejected' | 'abandoned' = 'open';
  #cancelExpiry: Cancel = () => {};

  /** @throws SipParseError when a header that opens the dialog is malformed. */
  constructor(context: DialogContext, incoming: IncomingRequest, contactUser: string, peer: PeerTraits = {}) {
    this.#context = context;
    this.#incoming = incoming;
    this.request = incoming.request;
    this.source = incoming.source;
    const offered = sessionDescription(incoming.request);
    const taken = offered === undefined ? undefined : narrow(offered, peer.codecs);
    this.sdp = taken?.sdp;
    this.silent = taken?.silent === true;
    // Read now, so that a header that a dialog needs and that cannot be read is refused with 400 before anything starts.
    const contact = incoming.request.headers.get('Contact');
    if (contact === undefined || contact === '*') {
      const found = contact ?? 'none';
      throw new SipParseError(`expected one address in the Contact of an INVITE, found ${found}`, {
        header: 'Contact',
      });
    }
    incoming.request.headers.get('Record-Route');
    this.#contact = context.contactFor(incoming.source, contactUser, peer.contactAddress);
    this.#early = new EarlyDialogs({
      context,
      incoming,
      contact: this.#contact,
      offered: this.sdp,
      codecs: peer.codecs,
      onBye: (bye) => this.#abandon({ cause: 'bye', reason: bye.headers.raw('Reason') }),
      onNoPrack: () => this.#abandon({ cause: 'no-prack', reason: [] }),
    });
    const expires = incoming.request.headers.get('Expires');
    if (expires !== undefined && expires > 0) {
      this.#cancelExpiry = context.scheduler.after(expires * 1000, () =>
        this.#abandon({ cause: 'expired', reason: [] }),
      );
    }
    incoming.transaction.onCancel((cancel) => this.#abandon({ cause: 'cancel', reason: cancel.headers.raw('Reason') }));
  }

  /** Fires when the caller gives up: 487 has been sent already, or 504 if it never sent a PRACK. */
  get signal(): AbortSignal {
    // Made when first asked for: it would be the dearest object of an INVITE.
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state === 'abandoned') this.#abort.abort(NOBODY_WAITS);
    }
    return this.#abort.signal;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Calls `listener` when the caller gives up (CANCEL, BYE in the early dialog, or the Expires of the INVITE). */
  onAbandoned(listener: (abandoned: Abandoned) => void): void {
    this.#onAbandoned = listener;
  }

  /** Whether the caller acknowledges provisional responses (RFC 3262): an offer can then be made before the answer. */
  get reliable(): boolean {
    return this.#early.reliability !== 'none';
  }

  /**
   * Sends a provisional response, reliably (RFC 3262 §3) where the caller requires it, or supports it and the policy of the
   * dialog layer asks for it. Gives the early session that it belongs to. Does nothing when the caller has given up, for a
   * source beyond the 32nd, and for a response that would have to be reliable and make an offer but has none.
   */
  progress(options: ProgressOptions): EarlySession | undefined {
    return this.#state === 'open' ? this.#early.progress(options) : undefined;
  }

  /**
   * Whether `accept` may be called now for this source: not while a description in a reliable provisional response waits
   * for its PRACK (RFC 3262 §3).
   */
  acceptable(branch = ''): boolean {
    return this.#early.current(branch)?.provisionals.describing !== true;
  }

  /** Whether offer and answer were exchanged before the answer: the 200 to this source then says nothing new. */
  agreed(branch = ''): boolean {
    return this.#early.current(branch)?.session.negotiation.agreed !== undefined;
  }

  /** Resolves when `accept` may be called; to false when the caller has given up, or never sent the PRACK. */
  settled(branch = ''): Promise<boolean> {
    const early = this.#early.current(branch);
    if (early === undefined) return Promise.resolve(this.open);
    return new Promise((resolve) => early.provisionals.whenSettled(() => resolve(this.open)));
  }

  /**
   * Answers 200. The session repeats it until the ACK comes (RFC 3261 §13.3.1.4). Undefined when the caller has given
   * up meanwhile. What was agreed before the answer is not told again (RFC 6337 §3.1.1).
   * @throws UsageError (SIP_WRONG_STATE) when it is answered already, and while it is not `acceptable`
   */
  accept(options: AcceptOptions): InviteSession | undefined {
    if (this.#state === 'abandoned') return undefined;
    if (this.#state !== 'open') throw new UsageError('SIP_WRONG_STATE', 'this INVITE is answered already');
    const { sdp, branch = '' } = options;
    if (!this.acceptable(branch)) {
      throw new UsageError('SIP_WRONG_STATE', 'a reliable provisional response waits for its PRACK: await settled()');
    }
    const early = this.#early.forAnswer(branch, sdp);
    const { dialog, negotiation, updates } = early.session;
    this.#settle('accepted', early);
    dialog.confirmLocally();
    const session = new InviteSession(this.#context, dialog, negotiation, updates);
    if (early.provisionals.outstanding) session.onPrack = (prack) => this.#early.onPrack(prack, early);
    const agreed = negotiation.agreed !== undefined;
    const offers = this.sdp === undefined && !agreed;
    const body = sdp === undefined || agreed ? undefined : said(negotiation, offers ? 'offer' : 'answer', sdp);
    const response = this.#incoming.respond(200, {
      toTag: dialog.id.localTag,
      headers: {
        Contact: [this.#contact],
        Allow: this.#context.allow,
        Supported: ['100rel', 'timer', ...this.#context.supported],
        ...session.timer.responseHeaders(this.#incoming),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
    session.awaitAck(
      this.request.cseq.sequence,
      offers,
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

  #abandon(abandoned: Abandoned): void {
    if (this.#state !== 'open') return;
    this.#settle('abandoned');
    // RFC 3262 §3: who does not acknowledge is refused with a 5xx.
    this.#incoming.respond(abandoned.cause === 'no-prack' ? 504 : 487);
    this.#abort?.abort(NOBODY_WAITS);
    this.#onAbandoned(abandoned);
  }

  #settle(state: 'accepted' | 'rejected' | 'abandoned', chosen?: EarlyDialog): void {
    this.#state = state;
    if (state !== 'abandoned') this.#onAbandoned = NOBODY_LISTENS;
    this.#cancelExpiry();
    this.#early.close(chosen);
  }
}
