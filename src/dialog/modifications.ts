import type { IncomingRequest } from '../ua/incoming.js';
import { NO_CODEC } from './allowed-formats.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { GLARE_ATTEMPTS, glareDelayMs } from './glare.js';
import { IncomingModify } from './incoming-modify.js';
import { sameButOrigin } from './local-description.js';
import type { Agreed, Negotiation } from './negotiation.js';
import { type ModifyResult, OutgoingModify } from './outgoing-modify.js';
import { Pauses } from './pauses.js';
import type { PendingAcks } from './pending-acks.js';
import { answerToRefresh } from './refresh.js';
import type { RefreshHeaders } from './refresh-headers.js';
import type { Updates } from './updates.js';

/** What is asked of the peer in mid-call. */
export interface ModifyOptions {
  /** The offer; without it the peer is asked for one. */
  readonly sdp?: string;
  /** Nobody waits any more: a re-INVITE is then cancelled, and the result is `ended`. */
  readonly signal?: AbortSignal;
  /**
   * `UPDATE` where the peer is known to allow it, which is answered soon or not at all (RFC 3311 §5.2); a re-INVITE in its
   * place is not waited for any longer. Default `INVITE`.
   */
  readonly method?: 'INVITE' | 'UPDATE';
  /**
   * Tries again when the peer was about to change something itself (491), after the wait of RFC 3261 §14.1. For changes
   * that are ours; one that is passed on is the other side's to repeat. Default false.
   */
  readonly retry?: boolean;
}

export interface ModificationsOptions {
  readonly context: DialogContext;
  readonly dialog: Dialog;
  readonly negotiation: Negotiation;
  readonly updates: Updates;
  readonly acks: PendingAcks;
  readonly timer: RefreshHeaders;
  /** An ACK of ours is owed: the offer in the 2xx to our INVITE is not answered yet. */
  readonly owesAck: () => boolean;
  readonly onModify: (modify: IncomingModify) => void;
  readonly onAcceptedLate: (before: Agreed | undefined) => void;
  /** The peer has answered a refresh with something new. */
  readonly onAnsweredOtherwise: (answer: string) => void;
  /** A re-INVITE of ours got no final response: its 2xx may come when nothing is left of it (RFC 3261 §13.2.2.4). */
  readonly onUnanswered: () => void;
  readonly onGone: () => void;
}

/** While a re-INVITE stands for an UPDATE, its sender waits with a timer of 32 s (RFC 3261 §17.1.2.2). */
const UPDATE_LIMIT_MS = 25_000;

/** What the two sides of an established session ask of each other: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311). */
export class Modifications {
  readonly #options: ModificationsOptions;
  readonly #pauses: Pauses;
  #incoming: IncomingModify | undefined;
  #outgoing: OutgoingModify | undefined;
  /** The last re-INVITE of ours: it may owe an ACK still when it is answered. */
  #latest: OutgoingModify | undefined;
  #ended = false;

  constructor(options: ModificationsOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.context.scheduler);
    const { updates, timer } = options;
    updates.owner = {
      onModify: (modify) => this.#serve(modify),
      timer,
      onAcceptedLate: options.onAcceptedLate,
      onGone: options.onGone,
    };
  }

  /** True while an INVITE of either side, or an offer of either side, waits for its answer. */
  get open(): boolean {
    const { negotiation, owesAck } = this.#options;
    const inviting = this.#outgoing !== undefined || this.inviting;
    return this.#incoming !== undefined || inviting || owesAck() || negotiation.open !== 'nobody';
  }

  /** True while a re-INVITE of ours has no final response. */
  get inviting(): boolean {
    return this.#latest?.underWay === true;
  }

  /** See `InviteSession.modify`. */
  async modify(options: ModifyOptions): Promise<ModifyResult> {
    const { dialog, context } = this.#options;
    for (let attempt = 1; ; attempt++) {
      if (this.#ended) return { kind: 'ended' };
      const result = await this.#once(options);
      const pending = result.kind === 'rejected' && result.status === 491;
      if (!pending || options.retry !== true || attempt === GLARE_ATTEMPTS) return result;
      await this.#pauses.wait(glareDelayMs(dialog.role === 'uac', context.random));
      if (options.signal?.aborted === true) return { kind: 'ended' };
    }
  }

  /**
   * Refreshes the session (RFC 4028 §7.4): by an UPDATE without an offer where the peer allows it, else by a re-INVITE that
   * says what was said before.
   */
  async refresh(): Promise<ModifyResult> {
    const { dialog, negotiation, updates, onAnsweredOtherwise } = this.#options;
    if (dialog.allows('UPDATE')) {
      const result = await updates.send({});
      // What it has told in Allow was not so.
      const unknown = result.kind === 'rejected' && (result.status === 405 || result.status === 501);
      if (!unknown) return result;
    }
    const before = negotiation.agreed;
    if (before === undefined) return { kind: 'rejected', status: 500, reason: 'No Session Description' };
    const result = await this.modify({ sdp: before.local, retry: true });
    const answer = result.kind === 'accepted' ? result.sdp : undefined;
    if (answer !== undefined && !sameButOrigin(answer, before.remote)) onAnsweredOtherwise(answer);
    return result;
  }

  /** A re-INVITE of the peer, its CSeq being in order (RFC 3261 §14.2). */
  receiveInvite(incoming: IncomingRequest): void {
    const { context, dialog, negotiation, acks, timer } = this.#options;
    if (this.#incoming !== undefined || negotiation.open === 'peer') {
      // RFC 3261 §14.2: a second INVITE before the first one's final answer; RFC 6337 §4.3: an offer we have not answered.
      incoming.respond(500, { headers: { 'Retry-After': String(context.random.integer(11)) } });
      return;
    }
    if (this.open) return void incoming.respond(491);
    if (timer.refuses(incoming)) return;
    const moved = dialog.refreshTarget(incoming.request, incoming.source);
    dialog.renewContact(context.presentContact);
    const modify: IncomingModify = new IncomingModify({
      incoming,
      moved,
      contact: dialog.localContact,
      allow: context.allow,
      negotiation,
      headers: () => timer.responseHeaders(incoming),
      onAccepted: (offered, send, onAck) =>
        acks.add(incoming.request.cseq.sequence, { offered, send, onAck, onGone: () => modify.end() }),
      onSettled: (accepted) => {
        this.#incoming = undefined;
        if (accepted && modify.sdp !== undefined) dialog.describedFrom(incoming.source);
      },
    });
    this.#incoming = modify;
    this.#serve(modify);
  }

  /** An UPDATE of the peer, its CSeq being in order. */
  receiveUpdate(incoming: IncomingRequest): void {
    if (!this.#options.timer.refuses(incoming)) this.#options.updates.receive(incoming);
  }

  /** The session has ended. */
  end(): void {
    this.#ended = true;
    this.#incoming?.end();
    this.#latest?.end();
    this.#options.updates.end();
    this.#pauses.end();
  }

  /**
   * What only refreshes the session is answered here; everything else is the owner's. So is a refresh by a peer that has moved: the same
   * private address means another place then, and who stands in the media path must look for it there.
   */
  #serve(modify: IncomingModify): void {
    if (modify.refusesSilence()) return;
    const again =
      modify.sdp === undefined || modify.moved
        ? undefined
        : answerToRefresh(this.#options.negotiation.agreed, modify.sdp);
    if (again !== undefined) return void modify.accept(again);
    try {
      this.#options.onModify(modify);
    } catch (error) {
      modify.abandon();
      throw error;
    }
  }

  #once(options: ModifyOptions): Promise<ModifyResult> {
    const { context, dialog, negotiation, updates, timer, onAcceptedLate, onUnanswered, onGone } = this.#options;
    if (this.open) return Promise.resolve({ kind: 'rejected', status: 491, reason: 'Request Pending' });
    const { sdp, signal, method } = options;
    if (sdp !== undefined && negotiation.narrow(sdp).silent) {
      return Promise.resolve({ kind: 'rejected', status: 488, reason: NO_CODEC });
    }
    const given = { ...(sdp === undefined ? {} : { sdp }), ...(signal === undefined ? {} : { signal }) };
    if (method === 'UPDATE' && sdp !== undefined && dialog.allows('UPDATE')) return updates.send(given);
    const before = negotiation.agreed;
    const outgoing = new OutgoingModify({
      context,
      dialog,
      negotiation,
      ...given,
      ...(method === 'UPDATE' ? { limitMs: UPDATE_LIMIT_MS } : {}),
      headers: timer.requestHeaders(),
      onSuccess: (response) => timer.onSuccess(response),
      onRefused: (response) => timer.onRefused(response),
      onAcceptedLate: () => onAcceptedLate(before),
      onUnanswered,
      onGone,
    });
    this.#outgoing = outgoing;
    this.#latest = outgoing;
    return outgoing.start().finally(() => {
      this.#outgoing = undefined;
    });
  }
}
