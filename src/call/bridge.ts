import type { Logger } from '../base/logger.js';
import type { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import type { MediaEngine } from '../media/media-engine.js';
import { passReason } from './passing.js';

/** One end of a bridge. */
export interface BridgeSide {
  readonly legId: string;
  readonly session: InviteSession;
}

export interface BridgeOptions {
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly inbound: BridgeSide;
  readonly outbound: BridgeSide;
  readonly media: MediaEngine;
  readonly mailbox: Mailbox;
  readonly logger: Logger;
  /** The ACK of the inbound leg; with the answer when our 200 carried the offer. */
  readonly onAcknowledged?: (sdp: string | undefined) => void;
  /** A re-INVITE has changed what a restored call would need. */
  readonly onChanged: () => void;
  /** Once: who ended the call; the other side has been hung up. */
  readonly onEnded: (side: 'inbound' | 'outbound', end: SessionEnd) => void;
}

/** Two established sessions joined: what one side asks of the other passes, and when one ends the other is hung up. */
export class Bridge {
  readonly #options: BridgeOptions;
  #open = true;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Starts to listen to both sides. */
  join(): void {
    const { inbound, outbound, onAcknowledged } = this.#options;
    inbound.session.handle({
      onModify: (modify) => this.#relay(modify, inbound, outbound),
      onEnded: (end) => this.#onEnded('inbound', end, outbound),
      ...(onAcknowledged === undefined ? {} : { onAcknowledged }),
    });
    outbound.session.handle({
      onModify: (modify) => this.#relay(modify, outbound, inbound),
      onEnded: (end) => this.#onEnded('outbound', end, inbound),
    });
  }

  /** Hangs both sides up. */
  end(reason: readonly string[] = []): void {
    if (!this.#open) return;
    this.#open = false;
    this.#options.inbound.session.end(passReason(reason));
    this.#options.outbound.session.end(passReason(reason));
  }

  #onEnded(side: 'inbound' | 'outbound', end: SessionEnd, other: BridgeSide): void {
    if (!this.#open) return;
    this.#open = false;
    other.session.end(passReason(end.reason));
    this.#options.onEnded(side, end);
  }

  /** A re-INVITE of one side becomes one to the other; hold, resume, new codecs and addresses pass this way. */
  #relay(modify: IncomingModify, from: BridgeSide, to: BridgeSide): void {
    const { mailbox, logger, callId } = this.#options;
    mailbox
      .run(() => this.#exchange(modify, from, to))
      .catch((error: unknown) => {
        logger.error({ callId, err: error }, 'a re-INVITE could not be passed on');
        modify.reject(500);
      });
  }

  async #exchange(modify: IncomingModify, from: BridgeSide, to: BridgeSide): Promise<void> {
    const offer = modify.sdp === undefined ? undefined : await this.#offer(from, to, modify.sdp);
    const { signal } = modify;
    const result = await to.session.modify({ signal, ...(offer === undefined ? {} : { sdp: offer }) });
    if (result.kind === 'ended') return modify.reject(487);
    if (result.kind === 'rejected') return modify.reject(result.status, result.reason);
    if (modify.sdp !== undefined) {
      void modify.accept(result.sdp === undefined ? undefined : await this.#answer(to, from, result.sdp));
    } else {
      // The peer asked for an offer: the other side's offer goes out in the 200, its answer comes back in the ACK.
      const answer = await modify.accept(
        result.sdp === undefined ? undefined : await this.#offer(to, from, result.sdp),
      );
      result.acknowledge(answer === undefined ? undefined : await this.#answer(from, to, answer));
    }
    this.#options.onChanged();
  }

  #offer(from: BridgeSide, to: BridgeSide, sdp: string): Promise<string> {
    const { media, callId, tenantId } = this.#options;
    return media.offer({ tenantId, callId, fromLeg: from.legId, toLeg: to.legId, sdp });
  }

  #answer(from: BridgeSide, to: BridgeSide, sdp: string): Promise<string> {
    const { media, callId, tenantId } = this.#options;
    return media.answer({ tenantId, callId, fromLeg: from.legId, toLeg: to.legId, sdp });
  }
}
