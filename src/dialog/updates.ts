import type { IncomingRequest } from '../ua/incoming.js';
import { NO_CODEC } from './allowed-formats.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { IncomingModify } from './incoming-modify.js';
import type { Agreed, Negotiation } from './negotiation.js';
import type { ModifyResult } from './outgoing-modify.js';
import { sendUpdate } from './outgoing-update.js';
import type { RefreshHeaders } from './refresh-headers.js';
import { sessionDescription } from './session-body.js';

/** Whose dialog it is: an early one first, the session later. */
export interface UpdateOwner {
  /** An offer of the peer that may be served now. */
  onModify(modify: IncomingModify): void;
  /** What UPDATEs of ours and the 2xx to those of the peer carry besides, and who hears how they fare; an early dialog has none. */
  readonly timer?: RefreshHeaders;
  /** An UPDATE of ours was accepted when nobody waited for it any more; `before` was agreed until then. */
  onAcceptedLate?(before: Agreed | undefined): void;
  /** An UPDATE of ours has shown that the dialog is no more. */
  onGone(): void;
}

/** The UPDATEs of one dialog, before the answer and after it: RFC 3311. */
export class Updates {
  readonly #context: DialogContext;
  readonly #dialog: Dialog;
  readonly #negotiation: Negotiation;
  /** Told of what happens; replaced when the dialog becomes a session. */
  owner: UpdateOwner;
  #incoming: IncomingModify | undefined;
  #sending = false;
  #ended = false;

  constructor(context: DialogContext, dialog: Dialog, negotiation: Negotiation, owner: UpdateOwner) {
    this.#context = context;
    this.#dialog = dialog;
    this.#negotiation = negotiation;
    this.owner = owner;
  }

  /** An UPDATE of the peer, its CSeq being in order (RFC 3311 §5.2). */
  receive(incoming: IncomingRequest): void {
    const sdp = sessionDescription(incoming.request);
    const { open } = this.#negotiation;
    if (this.#incoming !== undefined || (sdp !== undefined && open === 'peer')) {
      incoming.respond(500, { headers: { 'Retry-After': String(this.#context.random.integer(11)) } });
      return;
    }
    if (sdp !== undefined && open === 'us') {
      incoming.respond(491);
      return;
    }
    const moved = this.#dialog.refreshTarget(incoming.request, incoming.source);
    this.#dialog.renewContact(this.#context.presentContact);
    const modify: IncomingModify = new IncomingModify({
      incoming,
      moved,
      contact: this.#dialog.localContact,
      allow: this.#context.allow,
      negotiation: this.#negotiation,
      headers: () => this.owner.timer?.responseHeaders(incoming) ?? {},
      onSettled: (accepted) => {
        this.#incoming = undefined;
        if (accepted && modify.sdp !== undefined) this.#dialog.describedFrom(incoming.source);
      },
    });
    // Without an offer it only refreshes the target and the timer, whatever else is going on.
    if (sdp === undefined) return void modify.accept(undefined);
    if (modify.refusesSilence()) return;
    this.#incoming = modify;
    this.owner.onModify(modify);
  }

  /** Sends an UPDATE. `rejected` 491 at once while another one of ours, or an offer of either side, waits for its answer. */
  async send(options: { readonly sdp?: string; readonly signal?: AbortSignal }): Promise<ModifyResult> {
    if (this.#sending || (options.sdp !== undefined && this.#negotiation.open !== 'nobody')) {
      return { kind: 'rejected', status: 491, reason: 'Request Pending' };
    }
    if (options.sdp !== undefined && this.#negotiation.narrow(options.sdp).silent) {
      return { kind: 'rejected', status: 488, reason: NO_CODEC };
    }
    this.#sending = true;
    const before = this.#negotiation.agreed;
    try {
      return await sendUpdate({
        context: this.#context,
        dialog: this.#dialog,
        negotiation: this.#negotiation,
        headers: this.owner.timer?.requestHeaders() ?? {},
        ...options,
        isNeeded: () => !this.#ended,
        onSuccess: (response) => this.owner.timer?.onSuccess(response),
        onRefused: (response) => this.owner.timer?.onRefused(response),
        onAcceptedLate: () => this.owner.onAcceptedLate?.(before),
        onGone: () => this.owner.onGone(),
      });
    } finally {
      this.#sending = false;
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The dialog has ended: what the peer has asked is refused, and no UPDATE of ours is tried by another way. */
  end(): void {
    this.#ended = true;
    this.#incoming?.end();
  }
}
