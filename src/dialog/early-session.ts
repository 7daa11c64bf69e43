import type { IncomingRequest } from '../ua/incoming.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import type { IncomingModify } from './incoming-modify.js';
import type { Negotiation } from './negotiation.js';
import type { ModifyResult } from './outgoing-modify.js';
import { Updates } from './updates.js';

/** What the owner of an early session is told. */
export interface EarlyHandlers {
  /** An offer in an UPDATE or a PRACK: answer it by `accept` or `reject`. */
  onModify(modify: IncomingModify): void;
  /** Our offer in a reliable provisional response was acknowledged; with the answer in the PRACK, if it had one. */
  onAcknowledged?(sdp: string | undefined): void;
}

const UNHANDLED: EarlyHandlers = { onModify: (modify) => modify.reject(488) };

/**
 * A dialog whose INVITE waits for its answer, of either side. Once an offer was answered reliably both sides may change what
 * they agreed, by UPDATE (RFC 3311 §5.1, RFC 6337 §3.2). The session takes it over when the INVITE is answered.
 */
export class EarlySession {
  readonly dialog: Dialog;
  /** @internal */
  readonly negotiation: Negotiation;
  /** @internal */
  readonly updates: Updates;
  #handlers: EarlyHandlers = UNHANDLED;
  #reliable = false;

  constructor(context: DialogContext, dialog: Dialog, negotiation: Negotiation) {
    this.dialog = dialog;
    this.negotiation = negotiation;
    this.updates = new Updates(context, dialog, negotiation, {
      onModify: (modify) => this.#handlers.onModify(modify),
      onGone: () => {},
    });
  }

  /** Sets who is told of what happens here; until then offers are refused with 488. */
  handle(handlers: EarlyHandlers): void {
    this.#handlers = handlers;
  }

  /** Whether an offer of ours can be sent before the answer: the peer must know UPDATE, and the first answer be acknowledged. */
  get modifiable(): boolean {
    return this.#reliable && this.negotiation.agreed !== undefined && this.dialog.allows('UPDATE');
  }

  /** Sends an UPDATE with an offer. `rejected` 488 when none can be sent before the answer, 491 while another is open. */
  modify(options: { readonly sdp: string; readonly signal?: AbortSignal }): Promise<ModifyResult> {
    if (!this.modifiable) return Promise.resolve({ kind: 'rejected', status: 488, reason: 'Not Acceptable Here' });
    return this.updates.send(options);
  }

  /** A reliable provisional response with a description has been acknowledged. @internal */
  settle(): void {
    this.#reliable = true;
  }

  /** @internal */
  onPrackOffer(modify: IncomingModify): void {
    if (!modify.refusesSilence()) this.#handlers.onModify(modify);
  }

  /** @internal */
  onAcknowledged(sdp: string | undefined): void {
    this.#handlers.onAcknowledged?.(sdp);
  }

  /** An UPDATE of the peer, its CSeq being in order. @internal */
  onUpdate(incoming: IncomingRequest): void {
    this.updates.receive(incoming);
  }
}
