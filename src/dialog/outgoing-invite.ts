import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { createRequest } from '../protocol/sip/message.js';
import { type NameAddr, tagOf, withTag } from '../protocol/sip/name-addr.js';
import type { Source, Target } from '../ua/target.js';
import type { UacFailure, UacRequest } from '../ua/uac.js';
import type { DialogContext } from './context.js';
import { Dialog } from './dialog.js';
import { type SentAck, sendAck, sendBye } from './dialog-request.js';
import { InviteSession } from './invite-session.js';
import { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

export interface OutgoingInviteOptions {
  readonly target: Target;
  /** Without a tag. */
  readonly from: NameAddr;
  readonly to: NameAddr;
  /** The user part of our Contact. */
  readonly contactUser: string;
  /** The offer; without it the callee is asked for one (RFC 3261 §13.2.1) and `acknowledge` must be called. */
  readonly sdp?: string;
  readonly maxForwards?: number;
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
}

export interface Answer {
  readonly session: InviteSession;
  readonly response: SipResponse;
  readonly remoteTag: string;
  /** The answer; or the offer when the INVITE had none. */
  readonly sdp: string | undefined;
  /** Sends the ACK with the answer to an offer in the 2xx. Does nothing when the INVITE carried the offer. */
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
  | { readonly kind: 'answered'; readonly session: InviteSession; readonly remoteTag: string }
  | { readonly kind: 'failed' };

/** An INVITE that we sent, until it is answered: RFC 3261 §13.2. */
export class OutgoingInvite {
  readonly callId: string;
  readonly localTag: string;
  readonly #context: DialogContext;
  readonly #options: OutgoingInviteOptions;
  readonly #handlers: OutgoingInviteHandlers;
  readonly #onOver: () => void;
  readonly #negotiation: Negotiation;
  /** The answers that nobody wanted, by To tag. */
  readonly #released = new Map<string, SentAck>();
  #uac: UacRequest | undefined;
  #state: State = { kind: 'calling' };

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
    this.callId = context.random.token(128);
    this.localTag = context.random.token(64);
    this.#negotiation = Negotiation.create(context.random);
  }

  /** @internal */
  start(): void {
    const { target, from, to, sdp, headers, maxForwards, contactUser } = this.#options;
    const request = createRequest({
      method: 'INVITE',
      uri: target.uri,
      headers: {
        'Max-Forwards': maxForwards ?? 70,
        From: withTag(from, this.localTag),
        To: to,
        'Call-ID': this.callId,
        CSeq: { sequence: 1, method: 'INVITE' },
        Allow: this.#context.allow,
        ...headers,
      },
      ...(sdp === undefined ? {} : { body: this.#negotiation.offer(sdp), contentType: SDP_TYPE }),
    });
    this.#uac = this.#context.uac.send(
      request,
      { ...target, contactUser },
      {
        onProvisional: (response) => this.#onProvisional(response),
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
    if (state.kind === 'answered' && state.remoteTag === remoteTag) return state.session.onSuccessAgain(response);
    const released = this.#released.get(remoteTag);
    if (released !== undefined) return released.resend();
    const dialog = Dialog.uac(this.#invite(), response, source, this.#options.target.flow !== undefined);
    if (state.kind === 'calling') return this.#answered(dialog, response, remoteTag);
    this.#release(dialog, remoteTag);
    if (state.kind !== 'cancelled') return;
    this.#state = { kind: 'failed' };
    this.#over({ kind: 'cancelled' });
  }

  #onProvisional(response: SipResponse): void {
    if (response.status === 100 || this.#state.kind !== 'calling') return;
    this.#handlers.onProgress({
      status: response.status,
      reason: response.reason,
      response,
      remoteTag: tagOf(response.to) ?? '',
      sdp: sessionDescription(response),
    });
  }

  #answered(dialog: Dialog, response: SipResponse, remoteTag: string): void {
    const sdp = sessionDescription(response);
    const negotiation = this.#negotiation.fork();
    if (this.#options.sdp !== undefined) negotiation.answered(sdp);
    else if (sdp !== undefined) negotiation.offered(sdp);
    const session = new InviteSession(this.#context, dialog, negotiation);
    this.#state = { kind: 'answered', session, remoteTag };
    session.oweAck(this.#invite());
    const acknowledge = (answer: string | undefined): void => session.acknowledge(answer);
    if (this.#options.sdp !== undefined) acknowledge(undefined);
    this.#onOver();
    this.#handlers.onAnswered({ session, response, remoteTag, sdp, acknowledge });
  }

  /** Nobody wants this answer: acknowledged and hung up at once (RFC 3261 §13.2.2.4, §9.1). */
  #release(dialog: Dialog, remoteTag: string): void {
    this.#released.set(remoteTag, sendAck(this.#context, dialog, this.#invite(), undefined));
    sendBye(this.#context, dialog, {}, () => {});
  }

  #onFailure(failure: UacFailure): void {
    const { kind } = this.#state;
    if (kind !== 'calling' && kind !== 'cancelled') return;
    this.#state = { kind: 'failed' };
    this.#over(kind === 'cancelled' ? { kind: 'cancelled' } : failure);
  }

  #over(failure: InviteFailure): void {
    this.#onOver();
    this.#handlers.onFailed(failure);
  }

  /** The INVITE as it was sent last: a digest retry counts CSeq up. */
  #invite(): SipRequest {
    if (this.#uac === undefined) throw new Error('a response came before the INVITE had left');
    return this.#uac.request;
  }
}
