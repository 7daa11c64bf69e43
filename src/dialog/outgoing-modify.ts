import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../ua/target.js';
import type { UacFailure, UacRequest } from '../ua/uac-request.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { endsDialog, leftUnsent, modifyTags, type SentAck, sendAck, sendInDialog } from './dialog-request.js';
import type { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

/** What became of a re-INVITE. */
export type ModifyResult =
  | {
      readonly kind: 'accepted';
      /** The answer; or the peer's offer when the re-INVITE had none: then `acknowledge` must be called with the answer. */
      readonly sdp: string | undefined;
      /** Sends the ACK with the answer to an offer in the 2xx. Does nothing when the ACK is sent already. */
      acknowledge(sdp: string | undefined): void;
    }
  | { readonly kind: 'rejected'; readonly status: number; readonly reason: string }
  /** The session ended, or the signal fired, before the answer. */
  | { readonly kind: 'ended' };

interface Parts {
  readonly context: DialogContext;
  readonly dialog: Dialog;
  readonly negotiation: Negotiation;
  readonly sdp?: string;
  readonly signal?: AbortSignal;
  readonly headers?: HeaderInit;
  /** How long the answer is waited for. Default a minute. */
  readonly limitMs?: number;
  /** The 2xx came while somebody waited for it. */
  readonly onSuccess?: (response: SipResponse) => void;
  readonly onRefused?: (response: SipResponse) => void;
  /** No final response has come, but the peer can have the request: it may accept it yet. */
  readonly onUnanswered: () => void;
  /** The failure shows that the dialog is no more. */
  readonly onGone: () => void;
  /** The peer has accepted what was given up already: it now holds to a description that nobody else does. */
  readonly onAcceptedLate: () => void;
}

/** After a provisional response no timer of the transaction runs: a re-INVITE is not worth more than this. */
const LIMIT_MS = 60_000;

/** A re-INVITE that we sent: RFC 3261 §14.1. */
export class OutgoingModify {
  readonly #parts: Parts;
  #request: UacRequest | undefined;
  #state: 'open' | 'answered' | 'ended' = 'open';
  /** Sent again for each repeated 2xx (RFC 3261 §13.2.2.4). */
  #ack: SentAck | undefined;
  /** The INVITE whose 2xx carried an offer that nobody has answered yet. */
  #owed: SipRequest | undefined;
  /** No final response has come to the INVITE. */
  #underWay = false;
  #resolve: (result: ModifyResult) => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** True until the INVITE has its final response, also when nobody waits for it any more: another one must wait (RFC 3261 §14.1). */
  get underWay(): boolean {
    return this.#underWay;
  }

  start(): Promise<ModifyResult> {
    const { context, dialog, negotiation, sdp, signal, headers, limitMs = LIMIT_MS } = this.#parts;
    if (signal?.aborted === true) return Promise.resolve({ kind: 'ended' });
    const onAbort = (): void => this.end();
    signal?.addEventListener('abort', onAbort, { once: true });
    const result = new Promise<ModifyResult>((resolve) => {
      this.#resolve = resolve;
    });
    dialog.renewContact(context.presentContact);
    const request = dialog.createRequest('INVITE', {
      headers: { Allow: context.allow, Supported: modifyTags(context), ...headers },
      ...(sdp === undefined ? {} : { body: negotiation.offer(sdp), contentType: SDP_TYPE }),
    });
    this.#underWay = true;
    this.#request = sendInDialog(context, dialog, request, {
      onSuccess: (response, source) => this.#onSuccess(response, source),
      onFailure: (failure) => this.#onFailure(failure),
    });
    const cancelLimit = context.scheduler.after(limitMs, () => this.#giveUp());
    return result.finally(() => {
      cancelLimit();
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** The peer has said something, but not yes or no: whoever asked waits no longer, and the session goes on as it was. */
  #giveUp(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#request?.cancel();
    this.#resolve({ kind: 'rejected', status: 504, reason: 'Server Time-out' });
  }

  /**
   * Nobody waits for the answer any more: the re-INVITE is cancelled; a 2xx that comes all the same is acknowledged, and one
   * that has come already, too.
   */
  end(): void {
    this.#payAck(undefined);
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#request?.cancel();
    this.#resolve({ kind: 'ended' });
  }

  #onSuccess(response: SipResponse, source: Source): void {
    this.#underWay = false;
    if (this.#ack !== undefined) {
      this.#parts.dialog.reachedBy(source);
      return this.#ack.resend();
    }
    if (this.#state === 'answered') return;
    const { dialog, negotiation, onAcceptedLate } = this.#parts;
    const invite = this.#invite();
    let sdp = sessionDescription(response);
    const offered = this.#parts.sdp !== undefined;
    if (offered) negotiation.answered(sdp);
    else if (sdp !== undefined) sdp = negotiation.offered(sdp).sdp;
    if (this.#state === 'ended') {
      this.#acknowledge(invite, negotiation.open === 'peer' ? negotiation.agreed?.local : undefined);
      if (sdp !== undefined) onAcceptedLate();
      return;
    }
    this.#state = 'answered';
    dialog.refreshTarget(response, source);
    this.#parts.onSuccess?.(response);
    this.#owed = invite;
    if (offered) this.#payAck(undefined);
    this.#resolve({ kind: 'accepted', sdp, acknowledge: (answer) => this.#payAck(answer) });
  }

  #payAck(sdp: string | undefined): void {
    const invite = this.#owed;
    this.#owed = undefined;
    if (invite !== undefined) this.#acknowledge(invite, sdp);
  }

  #onFailure(failure: UacFailure): void {
    this.#underWay = false;
    if (this.#parts.sdp !== undefined) this.#parts.negotiation.withdraw(leftUnsent(failure));
    if (failure.kind !== 'response' && !leftUnsent(failure)) this.#parts.onUnanswered();
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    if (failure.kind === 'response') {
      this.#parts.onRefused?.(failure.response);
      const { status, reason } = failure.response;
      this.#resolve({ kind: 'rejected', status, reason });
    } else {
      this.#resolve({ kind: 'rejected', status: 408, reason: 'Request Timeout' });
    }
    if (endsDialog(failure)) this.#parts.onGone();
  }

  #acknowledge(invite: SipRequest, sdp: string | undefined): void {
    const { context, dialog, negotiation } = this.#parts;
    const answer = sdp === undefined || negotiation.open !== 'peer' ? undefined : negotiation.answer(sdp);
    if (answer === undefined) negotiation.withdraw();
    this.#ack = sendAck(context, dialog, invite, answer);
  }

  #invite(): SipRequest {
    if (this.#request === undefined) throw new Error('a response came before the request had left');
    return this.#request.request;
  }
}
