import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { DialogContext, DialogUsage } from './context.js';
import { Dialog } from './dialog.js';
import { EarlySession } from './early-session.js';
import { receivePrack } from './incoming-prack.js';
import { sameButOrigin } from './local-description.js';
import { Negotiation } from './negotiation.js';
import { ReliableProvisionals, type Told } from './reliable-provisional.js';
import { SDP_TYPE } from './session-body.js';

export interface ProgressOptions {
  /** 101–199. */
  readonly status: number;
  readonly reason?: string;
  /**
   * Early media: the answer, told before the call is answered. When the INVITE had no offer: an offer, which only a
   * reliable response may carry; it is left out of any other.
   */
  readonly sdp?: string;
  /** Which of several answering sources this comes from; each has an early dialog of its own. */
  readonly branch?: string;
  readonly headers?: HeaderInit;
}

export interface EarlyDialogsOptions {
  readonly context: DialogContext;
  readonly incoming: IncomingRequest;
  readonly contact: NameAddr;
  /** The offer of the INVITE, as it was taken. */
  readonly offered: string | undefined;
  /** See `Negotiation.create`. */
  readonly codecs: readonly string[] | undefined;
  /** A BYE came, and was answered 200. */
  readonly onBye: (bye: SipRequest) => void;
  /** A reliable response was never acknowledged. */
  readonly onNoPrack: () => void;
}

/** The early dialog of one To tag. */
export interface EarlyDialog {
  readonly session: EarlySession;
  readonly provisionals: ReliableProvisionals;
  /** What was told last in a response that is not reliable. */
  preview: string | undefined;
  unregister: () => void;
}

/**
 * The early dialogs of an INVITE that came in, and the provisional responses that make them: one To tag for each answering
 * source, and another one when a source answers differently from what it said before, because one To tag never sees two
 * different answers.
 */
export class EarlyDialogs {
  /** What the caller says of 100rel (RFC 3262 §4). */
  readonly reliability: 'required' | 'supported' | 'none';
  readonly #options: EarlyDialogsOptions;
  readonly #request: SipRequest;
  readonly #offered: string | undefined;
  /** The present one of each source. */
  readonly #current = new Map<string, EarlyDialog>();
  readonly #all: EarlyDialog[] = [];
  #firstTagUsed = false;

  constructor(options: EarlyDialogsOptions) {
    this.#options = options;
    this.#request = options.incoming.request;
    this.#offered = options.offered;
    this.reliability = reliabilityOf(this.#request);
  }

  /** The early dialog of `branch` that fits a response with `sdp`; undefined for one more than the limits allow. */
  of(branch: string, sdp: string | undefined): EarlyDialog | undefined {
    const known = this.#current.get(branch);
    const { agreed } = known?.session.negotiation ?? {};
    const before = agreed?.local ?? known?.preview;
    const now = sdp === undefined || agreed === undefined ? sdp : known?.session.negotiation.narrow(sdp).sdp;
    if (known !== undefined && (now === undefined || before === undefined || sameButOrigin(before, now))) return known;
    // Also for a source that says something else each time.
    return this.#options.context.early.allows(this.#all.length) ? this.#create(branch) : undefined;
  }

  /** The one that the 2xx belongs to: there is always a place for it. */
  forAnswer(branch: string, sdp: string | undefined): EarlyDialog {
    return this.of(branch, sdp) ?? this.#create(branch);
  }

  /** The present one of a source. */
  current(branch: string): EarlyDialog | undefined {
    return this.#current.get(branch);
  }

  /** Sends a provisional response; undefined: none was sent. */
  progress(options: ProgressOptions): EarlySession | undefined {
    const { branch = '' } = options;
    const reliable = this.#isReliable(options.sdp !== undefined);
    // RFC 3261 §13.2.1: without an offer in the INVITE only a reliable response may carry one.
    const sdp = reliable || this.#offered !== undefined ? options.sdp : undefined;
    const early = this.of(branch, sdp);
    if (early === undefined) return undefined;
    const { negotiation } = early.session;
    const told = reliable ? this.#told(negotiation, sdp) : undefined;
    if (told === 'missing-offer') {
      return this.reliability === 'required' ? undefined : this.#tell(early, options, undefined);
    }
    if (told === undefined) return this.#tell(early, options, sdp);
    // Said now, not when it is sent: a later response may be made before this one has its turn.
    const body = told === 'nothing' || sdp === undefined ? undefined : said(negotiation, told, sdp);
    early.provisionals.push({
      told,
      send: (rseq) => {
        const response = this.#respond(early, options, body, { Require: ['100rel'], RSeq: rseq });
        return () => this.#options.incoming.transaction.respond(response);
      },
    });
    return early.session;
  }

  onPrack(incoming: IncomingRequest, { session, provisionals }: EarlyDialog): void {
    receivePrack(incoming, { context: this.#options.context, early: session, provisionals });
  }

  /**
   * A final response is sent. `chosen` lives on as a session. One with a response that was not acknowledged stays until the
   * INVITE is over: its PRACK may be on its way (RFC 3262 §3).
   */
  close(chosen?: EarlyDialog): void {
    for (const early of this.#all) {
      early.provisionals.stop();
      if (early !== chosen) early.session.updates.end();
      if (early === chosen || !early.provisionals.outstanding) early.unregister();
      else this.#options.incoming.transaction.onTerminated(() => early.unregister());
    }
    this.#all.length = 0;
    this.#current.clear();
  }

  #create(branch: string): EarlyDialog {
    const { context, incoming, contact, codecs, onNoPrack } = this.#options;
    const tag = this.#firstTagUsed ? context.random.token(64) : incoming.toTag;
    this.#firstTagUsed = true;
    const dialog = Dialog.uas(this.#request, tag, contact, 'early', incoming.source);
    const negotiation = Negotiation.create(context.random, codecs);
    if (this.#offered !== undefined) negotiation.offered(this.#offered);
    const early: EarlyDialog = {
      session: new EarlySession(context, dialog, negotiation),
      provisionals: new ReliableProvisionals({
        scheduler: context.scheduler,
        random: context.random,
        sequence: this.#request.cseq.sequence,
        onTimeout: onNoPrack,
      }),
      preview: undefined,
      unregister: () => {},
    };
    const unregister = context.register(dialog, this.#usage(early));
    const leave = context.early.enter();
    early.unregister = () => {
      unregister();
      leave();
    };
    this.#current.set(branch, early);
    this.#all.push(early);
    return early;
  }

  #isReliable(described: boolean): boolean {
    if (this.reliability !== 'supported') return this.reliability === 'required';
    const { reliableProvisionals: policy = 'sdp' } = this.#options.context.policies();
    return policy === 'always' || (policy === 'sdp' && described);
  }

  /** What a reliable response would tell. RFC 3262 §5: the first one makes the offer that the INVITE did not make. */
  #told(negotiation: Negotiation, sdp: string | undefined): Told | 'missing-offer' {
    if (negotiation.agreed !== undefined || negotiation.open === 'us') return 'nothing';
    if (this.#offered !== undefined) return sdp === undefined ? 'nothing' : 'answer';
    return sdp === undefined ? 'missing-offer' : 'offer';
  }

  /** A response that is not reliable; a description in it only shows what the answer will be. */
  #tell(early: EarlyDialog, options: ProgressOptions, sdp: string | undefined): EarlySession {
    const { negotiation } = early.session;
    if (sdp !== undefined) early.preview = sdp;
    const body = sdp === undefined || negotiation.agreed !== undefined ? undefined : negotiation.preview(sdp);
    this.#respond(early, options, body, {});
    return early.session;
  }

  #respond(early: EarlyDialog, options: ProgressOptions, body: string | undefined, headers: HeaderInit): SipResponse {
    const { incoming, contact, context } = this.#options;
    return incoming.respond(options.status, {
      toTag: early.session.dialog.id.localTag,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      headers: { Contact: [contact], Allow: context.allow, ...options.headers, ...headers },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
  }

  /** What the caller may send before the answer; a BYE ends the attempt (RFC 5407 §3.1.3). */
  #usage(early: EarlyDialog): DialogUsage {
    const { context, onBye } = this.#options;
    return {
      onAck: () => {},
      close: () => early.provisionals.stop(),
      onRequest: (incoming) => {
        if (!early.session.dialog.acceptSequence(incoming.request)) {
          incoming.respond(500, { reason: 'CSeq Out Of Order' });
          return;
        }
        switch (incoming.request.method) {
          case 'BYE':
            incoming.respond(200);
            return onBye(incoming.request);
          case 'PRACK':
            return this.onPrack(incoming, early);
          case 'UPDATE':
            return early.session.onUpdate(incoming);
          case 'INVITE':
            incoming.respond(500, { headers: { 'Retry-After': String(context.random.integer(11)) } });
            return;
          case 'OPTIONS':
            incoming.respond(200, { headers: { Allow: context.allow, Accept: SDP_TYPE } });
            return;
          default:
            incoming.respond(405, { headers: { Allow: context.allow } });
        }
      },
    };
  }
}

/** A description that leaves as an offer or an answer. */
export function said(negotiation: Negotiation, told: 'offer' | 'answer', sdp: string): string {
  return told === 'offer' ? negotiation.offer(sdp) : negotiation.answer(sdp);
}

function reliabilityOf(request: SipRequest): 'required' | 'supported' | 'none' {
  if (names(request.headers.get('Require'))) return 'required';
  return names(request.headers.get('Supported')) ? 'supported' : 'none';
}

function names(tags: readonly string[] | undefined): boolean {
  return tags?.some((tag) => tag.toLowerCase() === '100rel') === true;
}
