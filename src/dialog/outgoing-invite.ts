import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { createRequest } from '../protocol/sip/message.js';
import { type NameAddr, tagOf, withTag } from '../protocol/sip/name-addr.js';
import type { DigestClient } from '../ua/digest-client.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source, Target } from '../ua/target.js';
import type { UacFailure, UacRequest } from '../ua/uac.js';
import type { DialogContext } from './context.js';
import { Dialog, type DialogWay } from './dialog.js';
import { openingOf, type SentAck, sendAck, sendBye } from './dialog-request.js';
import type { EarlySession } from './early-session.js';
import { FirstAck } from './first-ack.js';
import { InviteSession } from './invite-session.js';
import { Negotiation } from './negotiation.js';
import { OutgoingEarly } from './outgoing-early.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';
import { minSecondsOf, timerHeaders } from './session-timer.js';

export interface OutgoingInviteOptions {
  readonly target: Target;
  /** Without a tag. */
  readonly from: NameAddr;
  readonly to: NameAddr;
  /** The user part of our Contact. */
  readonly contactUser: string;
  /** The offer, of which the target's `codecs` are sent; without it the callee is asked for one (RFC 3261 §13.2.1) and `acknowledge` must be called. */
  readonly sdp?: string;
  readonly maxForwards?: number;
  /**
   * Tells the callee that provisional responses are acknowledged (RFC 3262). Without an offer in the INVITE one may come in
   * them, which `Progress.acknowledge` must answer. Default: when there is an offer.
   */
  readonly reliable?: boolean;
  readonly headers?: HeaderInit;
}

/** A provisional response. */
export interface Progress {
  readonly status: number;
  readonly reason: string;
  readonly response: SipResponse;
  /** Tells the answering sources of a forked INVITE apart: the To tag, empty when there is none. */
  readonly remoteTag: string;
  readonly sdp: string | undefined;
  /** The early dialog, once something in it is reliable: both sides can change there what was agreed. */
  readonly early: EarlySession | undefined;
  /**
   * Sends the PRACK with the answer: set when the response is reliable and makes an offer (RFC 3262 §5). Every other
   * reliable response is acknowledged already.
   */
  readonly acknowledge: ((sdp: string | undefined) => void) | undefined;
}

export interface Answer {
  readonly session: InviteSession;
  readonly response: SipResponse;
  readonly remoteTag: string;
  /** The answer; or the offer when the INVITE had none. What was agreed before the answer, if it was. */
  readonly sdp: string | undefined;
  /** Offer and answer were exchanged in reliable provisional responses: the 2xx brings nothing new (RFC 6337 §3.1). */
  readonly agreedEarly: boolean;
  /** Sends the ACK with the answer to an offer in the 2xx. Does nothing when the offer was answered before. */
  acknowledge(sdp: string | undefined): void;
}

export type InviteFailure = UacFailure | { readonly kind: 'cancelled' };

export interface OutgoingInviteHandlers {
  /** Each 101–199. */
  onProgress(progress: Progress): void;
  /** The first 2xx. Either this or `onFailed` comes, once. */
  onAnswered(answer: Answer): void;
  onFailed(failure: InviteFailure): void;
}

type State =
  | { readonly kind: 'calling' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'answered'; readonly ack: FirstAck; readonly remoteTag: string }
  | { readonly kind: 'failed' };

/** RFC 4028 §7.3: each proxy on the way may ask for a longer interval than the one before. */
const MAX_LONGER = 5;

const NOBODY: OutgoingInviteHandlers = { onProgress: () => {}, onAnswered: () => {}, onFailed: () => {} };

/** The audio formats that a target may be told of; undefined: all. */
export function codecsOf({ policy }: Target): readonly string[] | undefined {
  return policy.peer === 'trunk' ? policy.codecs : undefined;
}

/** An INVITE that we sent, until it is answered: RFC 3261 §13.2. */
export class OutgoingInvite {
  readonly callId: string;
  readonly localTag: string;
  readonly #context: DialogContext;
  readonly #digest: DigestClient | undefined;
  /** Undefined once it has its final response. */
  #options: OutgoingInviteOptions | undefined;
  #handlers: OutgoingInviteHandlers;
  readonly #onOver: () => void;
  readonly #negotiation: Negotiation;
  readonly #early: OutgoingEarly;
  /** The answers that nobody wanted, by To tag. */
  readonly #released = new Map<string, { readonly dialog: Dialog; readonly ack: SentAck }>();
  #uac: UacRequest | undefined;
  /** Once it has its final response: what is still needed of it. */
  #opening: { readonly invite: SipRequest; readonly way: DialogWay } | undefined;
  #state: State = { kind: 'calling' };
  /** The session interval that a 422 has asked for. */
  #minSeconds: number | undefined;
  #longer = 0;

  constructor(
    context: DialogContext,
    options: OutgoingInviteOptions,
    handlers: OutgoingInviteHandlers,
    /** No other final response is expected now, though a late 2xx may still come. */
    onOver: () => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#handlers = handlers;
    this.#onOver = onOver;
    this.#digest = context.uac.digestFor(options.target);
    this.callId = context.random.token(128);
    this.localTag = context.random.token(64);
    this.#negotiation = Negotiation.create(context.random, codecsOf(options.target));
    this.#early = new OutgoingEarly({
      context,
      invite: () => this.#invite(),
      negotiation: this.#negotiation,
      way: () => this.#way(),
    });
  }

  /** @internal */
  start(): void {
    this.#send(1);
  }

  #send(sequence: number): void {
    const options = this.#options;
    if (options === undefined) return;
    const { supported, policies } = this.#context;
    const { sessionTimer } = policies();
    const { target, from, to, sdp, headers, maxForwards, contactUser, reliable = sdp !== undefined } = options;
    const tags = [...(reliable ? ['100rel'] : []), ...(sessionTimer === undefined ? [] : ['timer']), ...supported];
    const request = createRequest({
      method: 'INVITE',
      uri: target.uri,
      headers: {
        'Max-Forwards': maxForwards ?? 70,
        From: withTag(from, this.localTag),
        To: to,
        'Call-ID': this.callId,
        CSeq: { sequence, method: 'INVITE' },
        Allow: this.#context.allow,
        ...(tags.length === 0 ? {} : { Supported: tags }),
        ...(sessionTimer === undefined ? {} : timerHeaders(sessionTimer, this.#minSeconds)),
        ...headers,
      },
      ...(sdp === undefined ? {} : { body: this.#negotiation.offer(sdp), contentType: SDP_TYPE }),
    });
    this.#uac = this.#context.uac.send(
      request,
      Object.assign({}, target, this.#digest === undefined ? { contactUser } : { contactUser, digest: this.#digest }),
      {
        onProvisional: (response, source) => this.#onProvisional(response, source),
        onSuccess: (response, source) => this.onSuccess(response, source),
        onFailure: (failure) => this.#onFailure(failure),
      },
    );
  }

  /** Gives up: CANCEL, as soon as the RFC allows it (RFC 3261 §9.1); a 2xx that crosses it is acknowledged and ended. */
  cancel(headers?: HeaderInit): void {
    if (this.#state.kind !== 'calling') return;
    this.#state = { kind: 'cancelled' };
    this.#uac?.cancel(headers);
  }

  /** A 2xx: the first, a repeated one, that of another fork, or one that comes too late. @internal */
  onSuccess(response: SipResponse, source: Source): void {
    const remoteTag = tagOf(response.to) ?? '';
    const state = this.#state;
    if (state.kind === 'answered' && state.remoteTag === remoteTag) return state.ack.again(response, source);
    const released = this.#released.get(remoteTag);
    if (released !== undefined) {
      released.dialog.reachedBy(source);
      return released.ack.resend();
    }
    const early = this.#early.take(remoteTag);
    early?.dialog.confirm(response, source);
    const dialog = early?.dialog ?? Dialog.uac(this.#invite(), response, source, this.#way());
    if (state.kind === 'calling') return this.#answered(dialog, response, remoteTag, early);
    early?.updates.end();
    this.#release(dialog, remoteTag);
    if (state.kind !== 'cancelled') return;
    this.#state = { kind: 'failed' };
    this.#over({ kind: 'cancelled' });
  }

  /** A request of the callee before the answer. False: it belongs to no early dialog. @internal */
  onRequest(incoming: IncomingRequest): boolean {
    return this.#state.kind === 'calling' && this.#early.receive(incoming);
  }

  #onProvisional(response: SipResponse, source: Source): void {
    if (response.status === 100 || this.#state.kind !== 'calling') return;
    const remoteTag = tagOf(response.to) ?? '';
    const early = this.#early.progress(response, source, remoteTag);
    if (early === undefined) return;
    this.#handlers.onProgress({
      status: response.status,
      reason: response.reason,
      response,
      remoteTag,
      sdp: early.sdp,
      early: early.session,
      acknowledge: early.acknowledge,
    });
  }

  #answered(dialog: Dialog, response: SipResponse, remoteTag: string, early: EarlySession | undefined): void {
    const negotiation = early?.negotiation ?? this.#negotiation.fork();
    const agreedEarly = negotiation.agreed !== undefined;
    // What was agreed before is not said again; a callee that does is not listened to (RFC 6337 §3.1.1).
    let sdp = agreedEarly ? negotiation.agreed?.remote : sessionDescription(response);
    const offered = this.#options?.sdp !== undefined;
    if (!agreedEarly && offered) negotiation.answered(sdp);
    else if (!agreedEarly && sdp !== undefined) sdp = negotiation.offered(sdp).sdp;
    const session = new InviteSession(this.#context, dialog, negotiation, early?.updates);
    const ack = new FirstAck(this.#context, dialog, this.#invite());
    this.#state = { kind: 'answered', ack, remoteTag };
    session.owe(ack);
    session.timer.onSuccess(response);
    const acknowledge = (answer: string | undefined): void => session.acknowledge(answer);
    if (agreedEarly || offered) acknowledge(undefined);
    this.#settle();
    this.#settled().onAnswered({ session, response, remoteTag, sdp, agreedEarly, acknowledge });
  }

  /** Nobody wants this answer: acknowledged and hung up at once (RFC 3261 §13.2.2.4, §9.1). */
  #release(dialog: Dialog, remoteTag: string): void {
    this.#released.set(remoteTag, { dialog, ack: sendAck(this.#context, dialog, this.#invite(), undefined) });
    sendBye(this.#context, dialog, {}, () => {});
  }

  #onFailure(failure: UacFailure): void {
    const { kind } = this.#state;
    if (kind !== 'calling' && kind !== 'cancelled') return;
    if (kind === 'calling' && failure.kind === 'response' && this.#asksLonger(failure.response)) {
      return this.#send(this.#invite().cseq.sequence + 1);
    }
    this.#state = { kind: 'failed' };
    this.#over(kind === 'cancelled' ? { kind: 'cancelled' } : failure);
  }

  /** RFC 4028 §7.3: a 422 says which interval the INVITE should ask for; each time a longer one. */
  #asksLonger(response: SipResponse): boolean {
    const { sessionTimer } = this.#context.policies();
    const least = minSecondsOf(response);
    if (sessionTimer === undefined || least === undefined) return false;
    if (least <= (this.#minSeconds ?? sessionTimer.seconds) || ++this.#longer > MAX_LONGER) return false;
    this.#minSeconds = least;
    return true;
  }

  #over(failure: InviteFailure): void {
    this.#settle();
    this.#settled().onFailed(failure);
  }

  /** No other final response is expected: a late one needs little of all that was said. */
  #settle(): void {
    this.#early.close();
    if (this.#uac !== undefined) this.#opening = { invite: openingOf(this.#uac.request), way: this.#way() };
    this.#uac = undefined;
    this.#options = undefined;
    this.#onOver();
  }

  /** Who is told of the outcome, and of nothing after it: kept for late answers, an INVITE must not hold the whole call. */
  #settled(): OutgoingInviteHandlers {
    const handlers = this.#handlers;
    this.#handlers = NOBODY;
    return handlers;
  }

  #way(): DialogWay {
    return this.#opening?.way ?? { behindNat: this.#uac?.byFlow ?? false, digest: this.#digest };
  }

  /** The INVITE as it was sent last: a digest retry counts CSeq up. */
  #invite(): SipRequest {
    const invite = this.#uac?.request ?? this.#opening?.invite;
    if (invite === undefined) throw new Error('a response came before the INVITE had left');
    return invite;
  }
}
