import type { HeaderInit, SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import type { UacFailure } from '../ua/uac-request.js';
import type { DialogContext, DialogUsage } from './context.js';
import type { Dialog, DialogRequestOptions, DialogSnapshot } from './dialog.js';
import { endsDialog, sendBye, sendInDialog } from './dialog-request.js';
import type { FirstAck } from './first-ack.js';
import type { IncomingModify } from './incoming-modify.js';
import { LateSuccesses } from './late-successes.js';
import { Modifications, type ModifyOptions } from './modifications.js';
import type { Agreed, Negotiation, NegotiationSnapshot } from './negotiation.js';
import type { ModifyResult } from './outgoing-modify.js';
import { PendingAcks } from './pending-acks.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';
import { SessionTimer, type SessionTimerSnapshot } from './session-timer.js';
import { Updates } from './updates.js';

/** How a session ended. */
export interface SessionEnd {
  readonly by: 'local' | 'remote' | 'network';
  /**
   * `bye`: hung up. `no-ack`: the 2xx was never acknowledged. `gone`: the peer no longer knows the dialog, or is silent.
   * `expired`: nobody has refreshed the session in time (RFC 4028 §10).
   */
  readonly cause: 'bye' | 'no-ack' | 'gone' | 'expired';
  /** The Reason header fields of the BYE (RFC 3326). */
  readonly reason: readonly string[];
}

/** What the owner of a session is told. All are called synchronously, when the message has come. */
export interface SessionHandlers {
  /** A re-INVITE: answer it by `accept` or `reject`. */
  onModify(modify: IncomingModify): void;
  /** The ACK to the first 2xx; with the answer in it when our 2xx carried the offer. */
  onAcknowledged?(sdp: string | undefined): void;
  /** A request that the session itself does not serve, its CSeq being in order: true when it was taken, else it gets 405. */
  onRequest?(incoming: IncomingRequest): boolean;
  /**
   * A re-INVITE of ours that was given up was accepted all the same: the peer now holds to what `session.agreed` says, not
   * to `before`.
   */
  onAcceptedLate?(before: Agreed | undefined): void;
  /** The peer has answered a refresh of ours with a description that is new, and that `session.agreed` tells now. */
  onAnsweredOtherwise?(answer: string): void;
  /** Once. The BYE, if one came, is answered already. */
  onEnded(end: SessionEnd): void;
}

/** What became of a request in the dialog; `ended`: the session is over, and it was not sent. */
export type RequestResult = UacFailure | { readonly kind: 'ended' };

export type { ModifyOptions } from './modifications.js';

export interface SessionSnapshot {
  readonly dialog: DialogSnapshot;
  /** What both sides have said; absent in snapshots of older versions. */
  readonly negotiation?: NegotiationSnapshot;
  /** Who refreshes the session, and how often (RFC 4028). */
  readonly timer?: SessionTimerSnapshot;
}

type State =
  | { readonly kind: 'confirmed' }
  /** Our BYE waits for the ACK of our 2xx (RFC 3261 §15). */
  | { readonly kind: 'ending-after-ack'; readonly headers: HeaderInit }
  | { readonly kind: 'ended'; readonly end: SessionEnd };

const UNHANDLED: SessionHandlers = {
  onModify: (modify) => modify.reject(488),
  onEnded: () => {},
};

const UNOWNED = { onModify: (modify: IncomingModify) => modify.reject(488), onGone: () => {} };

/** An established INVITE session: one confirmed dialog (RFC 3261 §12–15). */
export class InviteSession implements DialogUsage {
  readonly dialog: Dialog;
  readonly #context: DialogContext;
  readonly #negotiation: Negotiation;
  readonly #unregister: () => void;
  readonly #acks: PendingAcks;
  readonly #modifications: Modifications;
  /** @internal */
  readonly timer: SessionTimer;
  /** The ACK to the 2xx that began the session, as long as it is owed. */
  #owedAck: FirstAck | undefined;
  /** Once a re-INVITE of ours got no answer. */
  #late: LateSuccesses | undefined;
  #handlers: SessionHandlers = UNHANDLED;
  #state: State = { kind: 'confirmed' };
  /** A BYE of the peer has come. */
  #peerLeft = false;
  /** A PRACK for a provisional response that was still unacknowledged at the answer (RFC 3262 §3). @internal */
  onPrack: ((incoming: IncomingRequest) => void) | undefined;

  constructor(
    context: DialogContext,
    dialog: Dialog,
    negotiation: Negotiation,
    updates = new Updates(context, dialog, negotiation, UNOWNED),
  ) {
    this.#context = context;
    this.#negotiation = negotiation;
    this.dialog = dialog;
    this.#unregister = context.register(dialog, this);
    this.#acks = new PendingAcks(context.scheduler, () => this.#noAck());
    this.timer = new SessionTimer({
      policy: context.policies().sessionTimer,
      scheduler: context.scheduler,
      random: context.random,
      refresh: () => this.#modifications.refresh(),
      onExpired: () => this.#lost('expired'),
    });
    this.#modifications = new Modifications({
      context,
      dialog,
      negotiation,
      updates,
      acks: this.#acks,
      timer: this.timer,
      owesAck: () => this.#owedAck !== undefined,
      onModify: (modify) => this.#handlers.onModify(modify),
      onAcceptedLate: (before) => {
        if (this.#state.kind === 'confirmed') this.#handlers.onAcceptedLate?.(before);
      },
      onAnsweredOtherwise: (answer) => this.#handlers.onAnsweredOtherwise?.(answer),
      onUnanswered: () => {
        this.#late ??= new LateSuccesses(context, dialog);
      },
      onGone: () => this.#lost('gone'),
    });
  }

  /** Sets who is told of what happens here; until then re-INVITEs are refused with 488. An end that came before is told now. */
  handle(handlers: SessionHandlers): void {
    if (this.#state.kind === 'ended') handlers.onEnded(this.#state.end);
    else this.#handlers = handlers;
  }

  get ended(): boolean {
    return this.#state.kind === 'ended';
  }

  /** The descriptions that both sides hold to; undefined before the first answer. */
  get agreed(): Agreed | undefined {
    return this.#negotiation.agreed;
  }

  /** True while an offer of either side waits for its answer. */
  get negotiating(): boolean {
    return this.#modifications.open;
  }

  /**
   * Sends a re-INVITE (RFC 3261 §14.1) or an UPDATE (RFC 3311): with `sdp` as the offer, or without one to be offered
   * something. Resolves to `rejected` 491 at once while another offer is open here, unless `retry` is asked for. When
   * `signal` fires, a re-INVITE is cancelled and the result is `ended`.
   */
  modify(options: ModifyOptions = {}): Promise<ModifyResult> {
    if (this.#state.kind !== 'confirmed') return Promise.resolve({ kind: 'ended' });
    return this.#modifications.modify(options);
  }

  /** Hangs up: BYE (RFC 3261 §15.1.1), or after the ACK if that is still awaited. `headers`: for example Reason. */
  end(headers: HeaderInit = {}): void {
    if (this.#state.kind !== 'confirmed') return;
    if (this.#acks.size > 0) {
      this.#state = { kind: 'ending-after-ack', headers };
      return;
    }
    this.#bye(headers);
    this.#finish({ by: 'local', cause: 'bye', reason: [] });
  }

  /**
   * Asks the peer whether it still knows the dialog (OPTIONS, RFC 3261 §11), for sessions that were restored. The session
   * ends as `gone` when it does not, or is silent. `unreachable`: there is no way to it, so nothing was learnt.
   */
  probe(): Promise<'alive' | 'gone' | 'unreachable'> {
    if (this.#state.kind !== 'confirmed') return Promise.resolve('gone');
    const request = this.dialog.createRequest('OPTIONS', { headers: { Accept: SDP_TYPE } });
    return new Promise((resolve) => {
      sendInDialog(this.#context, this.dialog, request, {
        isNeeded: () => !this.ended,
        onSuccess: () => resolve('alive'),
        onFailure: (failure) => {
          if (failure.kind === 'unreachable') return resolve('unreachable');
          if (!endsDialog(failure)) return resolve('alive');
          this.#lost('gone');
          resolve('gone');
        },
      });
    });
  }

  /**
   * Sends a request of which the session itself knows nothing, such as INFO, and resolves to what became of it. 481, 408
   * and silence end the session (RFC 3261 §12.2.1.2).
   */
  request(method: string, options: DialogRequestOptions = {}): Promise<RequestResult> {
    if (this.#state.kind !== 'confirmed') return Promise.resolve({ kind: 'ended' });
    const request = this.dialog.createRequest(method, options);
    return new Promise((resolve) => {
      sendInDialog(this.#context, this.dialog, request, {
        isNeeded: () => !this.ended,
        onSuccess: (response, source) => resolve({ kind: 'response', response, source }),
        onFailure: (failure) => {
          resolve(failure);
          if (endsDialog(failure)) this.#lost('gone');
        },
      });
    });
  }

  snapshot(): SessionSnapshot {
    const timer = this.timer.snapshot();
    return {
      dialog: this.dialog.snapshot(),
      negotiation: this.#negotiation.snapshot(),
      ...(timer === undefined ? {} : { timer }),
    };
  }

  /** The 2xx that began the session is not acknowledged yet. @internal */
  owe(ack: FirstAck): void {
    this.#owedAck = ack;
  }

  /** Repeats our 2xx to the INVITE with that CSeq number by `send`, until its ACK has come. @internal */
  awaitAck(sequence: number, offered: boolean, send: () => void, onAck: (sdp: string | undefined) => void): void {
    this.#acks.add(sequence, { offered, send, onAck });
  }

  /** Tells the owner of the ACK to the first 2xx. @internal */
  notifyAcknowledged(sdp: string | undefined): void {
    this.#handlers.onAcknowledged?.(sdp);
  }

  /** Sends the ACK that is owed; at the latest when the session ends. @internal */
  acknowledge(sdp: string | undefined): void {
    const ack = this.#owedAck;
    if (ack === undefined) return;
    this.#owedAck = undefined;
    const answer = sdp === undefined || this.#negotiation.open !== 'peer' ? undefined : this.#negotiation.answer(sdp);
    this.#negotiation.withdraw();
    ack.send(answer);
  }

  /** A BYE that waits for the ACK does not wait any longer. */
  close(): void {
    if (this.#state.kind === 'ending-after-ack') this.#bye(this.#state.headers);
    this.#finish({ by: 'local', cause: 'bye', reason: [] });
  }

  onAck(request: SipRequest): void {
    const success = this.#acks.take(request.cseq.sequence);
    if (success === undefined) return;
    if (this.#state.kind === 'ending-after-ack') {
      const { headers } = this.#state;
      // Whoever waits for what the ACK says waits in vain; it is not among those any more that `#finish` tells so.
      success.onGone?.();
      this.#bye(headers);
      this.#finish({ by: 'local', cause: 'bye', reason: [] });
      return;
    }
    if (this.#state.kind !== 'confirmed') return;
    const sdp = sessionDescription(request);
    if (success.offered) {
      if (sdp === undefined) this.#negotiation.withdraw();
      else this.#negotiation.answered(sdp);
    }
    success.onAck(sdp);
  }

  /** RFC 3261 §13.2.2.4: it is acknowledged, whatever has become of the INVITE here, so that the peer's session goes on. */
  onStraySuccess(response: SipResponse, source: Source): void {
    this.#late ??= new LateSuccesses(this.#context, this.dialog);
    this.#late.onSuccess(response, source);
  }

  /** Undefined when every re-INVITE of ours has been answered: nothing outlives the session then. */
  get lateSuccesses(): LateSuccesses | undefined {
    return this.#late;
  }

  onRequest(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (!this.dialog.acceptSequence(request)) {
      incoming.respond(500, { reason: 'CSeq Out Of Order' });
      return;
    }
    if (this.#state.kind === 'ended' && request.method !== 'BYE') {
      incoming.respond(481);
      return;
    }
    switch (request.method) {
      case 'BYE':
        return this.#onBye(incoming);
      case 'INVITE':
        if (this.#state.kind === 'ending-after-ack') incoming.respond(491);
        else this.#modifications.receiveInvite(incoming);
        return;
      case 'UPDATE':
        return this.#modifications.receiveUpdate(incoming);
      case 'PRACK':
        if (this.onPrack === undefined) incoming.respond(481);
        else this.onPrack(incoming);
        return;
      case 'OPTIONS':
        incoming.respond(200, { headers: { Allow: this.#context.allow, Accept: SDP_TYPE } });
        return;
      default:
        if (this.#handlers.onRequest?.(incoming) === true) return;
        incoming.respond(405, { headers: { Allow: this.#context.allow } });
    }
  }

  #onBye(incoming: IncomingRequest): void {
    incoming.respond(200);
    this.#peerLeft = true;
    this.#late?.peerLeft();
    this.#finish({ by: 'remote', cause: 'bye', reason: incoming.request.headers.raw('Reason') });
  }

  #noAck(): void {
    if (this.#state.kind === 'ended') return;
    const headers = this.#state.kind === 'ending-after-ack' ? this.#state.headers : {};
    this.#bye(headers);
    this.#finish({ by: 'network', cause: 'no-ack', reason: [] });
  }

  /** 481 or silence to a request of ours (RFC 3261 §12.2.1.2), or no refresh in time (RFC 4028 §10). */
  #lost(cause: 'gone' | 'expired'): void {
    if (this.#state.kind === 'ended') return;
    this.#bye({});
    this.#finish({ by: 'network', cause, reason: [] });
  }

  #bye(headers: HeaderInit): void {
    this.acknowledge(undefined);
    sendBye(this.#context, this.dialog, {
      headers,
      onDone: () => this.#unregister(),
      isNeeded: () => !this.#peerLeft,
    });
  }

  /** After our BYE the dialog stays known until the BYE is answered, for what crosses it (RFC 5407 §3.2). */
  #finish(end: SessionEnd): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended', end };
    if (this.#modifications.inviting) this.#late ??= new LateSuccesses(this.#context, this.dialog);
    this.acknowledge(undefined);
    this.#acks.end();
    this.timer.end();
    this.#modifications.end();
    if (end.by === 'remote') this.#unregister();
    else this.#late?.hangUp();
    // Nothing more is told: a session that lingers for late answers must not hold the whole call.
    const handlers = this.#handlers;
    this.#handlers = UNHANDLED;
    this.onPrack = undefined;
    handlers.onEnded(end);
  }
}
