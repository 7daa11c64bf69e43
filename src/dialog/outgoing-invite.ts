import { assertNever } from '../base/errors.js';
import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { createRequest } from '../protocol/sip/message.js';
import { type NameAddr, tagOf, withTag } from '../protocol/sip/name-addr.js';
import type { DigestClient } from '../ua/digest-client.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source, Target } from '../ua/target.js';
import type { UacFailure, UacRequest } from '../ua/uac-request.js';
import type { DialogContext } from './context.js';
import { Dialog, type DialogWay } from './dialog.js';
import { openingOf } from './dialog-request.js';
import type { EarlySession } from './early-session.js';
import { FirstAck } from './first-ack.js';
import { InviteSession } from './invite-session.js';
import { Negotiation } from './negotiation.js';
import { OutgoingEarly } from './outgoing-early.js';
import { ReleasedDialog } from './released-dialog.js';
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

/** What late answers need of an INVITE that has its final response. */
interface Opening {
  readonly invite: SipRequest;
  readonly way: DialogWay;
}

interface Asked {
  readonly options: OutgoingInviteOptions;
  readonly handlers: OutgoingInviteHandlers;
  readonly negotiation: Negotiation;
}

/** Kept for late answers, the last two hold nothing of the call: neither what was asked nor who was to be told. */
type State =
  | { readonly kind: 'unsent'; readonly asked: Asked }
  | { readonly kind: 'calling'; readonly asked: Asked; readonly uac: UacRequest }
  | { readonly kind: 'cancelled'; readonly handlers: OutgoingInviteHandlers; readonly uac: UacRequest }
  | { readonly kind: 'answered'; readonly opening: Opening; readonly ack: FirstAck; readonly remoteTag: string }
  | { readonly kind: 'failed'; readonly opening: Opening };

type Calling = Extract<State, { kind: 'calling' }>;

const NOBODY_LISTENS = (): void => {};

/** RFC 4028 §7.3: each proxy on the way may ask for a longer interval than the one before. */
const MAX_LONGER = 5;

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
  #onOver: () => void;
  /** Undefined once it is settled and there is none: it is kept for late answers for half a minute, on a busy server by the thousand. */
  #early: OutgoingEarly | undefined;
  /** The answers that nobody wanted, by To tag; made when there is one. */
  #released: Map<string, ReleasedDialog> | undefined;
  #state: State;
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
    this.#onOver = onOver;
    this.#digest = context.uac.digestFor(options.target);
    this.callId = context.random.token(128);
    this.localTag = context.random.token(64);
    const negotiation = Negotiation.create(context.random, codecsOf(options.target));
    this.#state = { kind: 'unsent', asked: { options, handlers, negotiation } };
    this.#early = new OutgoingEarly({
      context,
      invite: () => this.#sent().invite,
      negotiation,
      way: () => this.#sent().way,
    });
  }

  /** @internal */
  start(): void {
    const state = this.#state;
    if (state.kind === 'unsent') this.#send(1, state.asked);
  }

  #send(sequence: number, asked: Asked): void {
    const { supported, policies } = this.#context;
    const { sessionTimer } = policies();
    const { target, from, to, sdp, headers, maxForwards, contactUser, reliable = sdp !== undefined } = asked.options;
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
      ...(sdp === undefined ? {} : { body: asked.negotiation.offer(sdp), contentType: SDP_TYPE }),
    });
    const uac = this.#context.uac.send(
      request,
      Object.assign({}, target, this.#digest === undefined ? { contactUser } : { contactUser, digest: this.#digest }),
      {
        onProvisional: (response, source) => this.#onProvisional(response, source),
        onSuccess: (response, source) => this.onSuccess(response, source),
        onFailure: (failure) => this.#onFailure(failure),
      },
    );
    this.#state = { kind: 'calling', asked, uac };
  }

  /** Gives up: CANCEL, as soon as the RFC allows it (RFC 3261 §9.1); a 2xx that crosses it is acknowledged and ended. */
  cancel(headers?: HeaderInit): void {
    const state = this.#state;
    if (state.kind !== 'calling') return;
    this.#state = { kind: 'cancelled', handlers: state.asked.handlers, uac: state.uac };
    state.uac.cancel(headers);
  }

  /** The CSeq number of the INVITE as it was sent last. @internal */
  get sequence(): number {
    return this.#sent().invite.cseq.sequence;
  }

  /** A 2xx: the first, a repeated one, that of another fork, or one that comes too late. @internal */
  onSuccess(response: SipResponse, source: Source): void {
    const remoteTag = tagOf(response.to) ?? '';
    const state = this.#state;
    if (state.kind === 'answered' && state.remoteTag === remoteTag) return state.ack.again(response, source);
    const released = this.#released?.get(remoteTag);
    if (released !== undefined) return released.again(source);
    const early = this.#early?.take(remoteTag);
    early?.dialog.confirm(response, source);
    const { invite, way } = this.#sent();
    const dialog = early?.dialog ?? Dialog.uac(invite, response, source, way);
    if (state.kind === 'calling') return this.#answered(state, dialog, response, early);
    early?.updates.end();
    this.#released ??= new Map();
    this.#released.set(remoteTag, new ReleasedDialog(this.#context, dialog, invite));
    if (state.kind === 'cancelled') this.#over(state.handlers, { kind: 'cancelled' });
  }

  /** A request of the callee before the answer. False: it belongs to no early dialog. @internal */
  onRequest(incoming: IncomingRequest): boolean {
    return this.#state.kind === 'calling' && this.#early?.receive(incoming) === true;
  }

  #onProvisional(response: SipResponse, source: Source): void {
    const state = this.#state;
    if (response.status === 100 || state.kind !== 'calling') return;
    const remoteTag = tagOf(response.to) ?? '';
    const early = this.#early?.progress(response, source, remoteTag);
    if (early === undefined) return;
    state.asked.handlers.onProgress({
      status: response.status,
      reason: response.reason,
      response,
      remoteTag,
      sdp: early.sdp,
      early: early.session,
      acknowledge: early.acknowledge,
    });
  }

  #answered(calling: Calling, dialog: Dialog, response: SipResponse, early: EarlySession | undefined): void {
    const { asked } = calling;
    const remoteTag = tagOf(response.to) ?? '';
    const negotiation = early?.negotiation ?? asked.negotiation.fork();
    const agreedEarly = negotiation.agreed !== undefined;
    // What was agreed before is not said again; a callee that does is not listened to (RFC 6337 §3.1.1).
    let sdp = agreedEarly ? negotiation.agreed?.remote : sessionDescription(response);
    const offered = asked.options.sdp !== undefined;
    if (!agreedEarly && offered) negotiation.answered(sdp);
    else if (!agreedEarly && sdp !== undefined) sdp = negotiation.offered(sdp).sdp;
    const session = new InviteSession(this.#context, dialog, negotiation, early?.updates);
    const opening = this.#opening();
    const ack = new FirstAck(this.#context, dialog, opening.invite);
    this.#state = { kind: 'answered', opening, ack, remoteTag };
    // By a 2xx under another branch the transaction has not learned that it is over, and after a 180 no timer of its own ends it.
    calling.uac.cancel();
    session.owe(ack);
    session.timer.onSuccess(response);
    const acknowledge = (answer: string | undefined): void => session.acknowledge(answer);
    if (agreedEarly || offered) acknowledge(undefined);
    this.#settle();
    asked.handlers.onAnswered({ session, response, remoteTag, sdp, agreedEarly, acknowledge });
  }

  #onFailure(failure: UacFailure): void {
    const state = this.#state;
    if (state.kind === 'cancelled') return this.#over(state.handlers, { kind: 'cancelled' });
    if (state.kind !== 'calling') return;
    if (failure.kind === 'response' && this.#asksLonger(failure.response)) {
      return this.#send(state.uac.request.cseq.sequence + 1, state.asked);
    }
    this.#over(state.asked.handlers, failure);
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

  #over(handlers: OutgoingInviteHandlers, failure: InviteFailure): void {
    this.#state = { kind: 'failed', opening: this.#opening() };
    this.#settle();
    handlers.onFailed(failure);
  }

  /** No other final response is expected. */
  #settle(): void {
    if (this.#early?.close() === 'empty') this.#early = undefined;
    const onOver = this.#onOver;
    this.#onOver = NOBODY_LISTENS;
    onOver();
  }

  /** A late answer needs little of all that was said. */
  #opening(): Opening {
    const { invite, way } = this.#sent();
    return { invite: openingOf(invite), way };
  }

  /** The INVITE as it was sent last, and how: a digest retry counts CSeq up, another flow may have taken it. */
  #sent(): Opening {
    const state = this.#state;
    switch (state.kind) {
      case 'unsent':
        throw new Error('a response came before the INVITE had left');
      case 'calling':
      case 'cancelled':
        return { invite: state.uac.request, way: { behindNat: state.uac.byFlow, digest: this.#digest } };
      case 'answered':
      case 'failed':
        return state.opening;
      default:
        return assertNever(state);
    }
  }
}
