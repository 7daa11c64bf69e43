import type { Logger } from '../base/logger.js';
import type { Mailbox } from '../base/mailbox.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import { sameButOrigin } from '../dialog/local-description.js';
import type { Agreed } from '../dialog/negotiation.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { CallMedia } from './call-media.js';
import { inPlaceOf } from './described.js';
import { passModify } from './exchange.js';
import type { HoldMusic } from './hold-music.js';
import { passInfo } from './info.js';
import { passReason } from './passing.js';

/** One end of a bridge. */
export interface BridgeSide {
  readonly legId: string;
  readonly session: InviteSession;
}

export interface BridgeOptions {
  readonly callId: string;
  readonly inbound: BridgeSide;
  readonly outbound: BridgeSide;
  readonly media: CallMedia;
  /** What held parties hear. Default: the hold is passed on. */
  readonly music?: HoldMusic | undefined;
  readonly mailbox: Mailbox;
  readonly logger: Logger;
  /** The ACK of the inbound leg; with the answer when our 200 carried the offer. */
  readonly onAcknowledged?: (sdp: string | undefined) => void;
  /** A re-INVITE has changed what a restored call would need. */
  readonly onChanged: () => void;
  /** A request that no session serves, such as REFER: true when it was taken. Default: none is. */
  readonly onRequest?: (side: 'inbound' | 'outbound', incoming: IncomingRequest) => boolean;
  /** Whether the other side stays when this one hangs up: it is being transferred. Default: it is hung up too. */
  readonly staysAfter?: (side: 'inbound' | 'outbound') => boolean;
  /** Once: who ended the call; the other side has been hung up, unless it stays. */
  readonly onEnded: (side: 'inbound' | 'outbound', end: SessionEnd) => void;
}

/** Two established sessions joined: what one side asks of the other passes, and when one ends the other is hung up. */
export class Bridge {
  readonly #options: BridgeOptions;
  /** `suspended`: the sides are being joined with others, so that what they ask of each other must wait. */
  #state: 'open' | 'suspended' | 'closed' = 'open';
  /** What was asked and waits for its turn. */
  #asked: Set<IncomingModify> | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Starts to listen to both sides. */
  join(): void {
    const { inbound, outbound, onAcknowledged, onRequest } = this.#options;
    inbound.session.handle({
      onModify: (modify) => this.#relay(modify, inbound, outbound),
      onRequest: (incoming) => this.#pass(incoming, outbound) || onRequest?.('inbound', incoming) === true,
      onAcceptedLate: (before) => this.#restore(before, inbound, outbound),
      onAnsweredOtherwise: (answer) => this.#tell(answer, inbound, outbound),
      onEnded: (end) => this.#onEnded('inbound', end, outbound),
      ...(onAcknowledged === undefined ? {} : { onAcknowledged }),
    });
    outbound.session.handle({
      onModify: (modify) => this.#relay(modify, outbound, inbound),
      onRequest: (incoming) => this.#pass(incoming, inbound) || onRequest?.('outbound', incoming) === true,
      onAcceptedLate: (before) => this.#restore(before, outbound, inbound),
      onAnsweredOtherwise: (answer) => this.#tell(answer, outbound, inbound),
      onEnded: (end) => this.#onEnded('outbound', end, inbound),
    });
  }

  /** Hangs both sides up. */
  end(reason: readonly string[] = []): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.music?.end();
    this.#options.inbound.session.end(passReason(reason));
    this.#options.outbound.session.end(passReason(reason));
  }

  /** Refuses what either side asks of the other with 491, from now on and what waits already, until `resume`. */
  suspend(): void {
    if (this.#state === 'open') this.#state = 'suspended';
    for (const modify of this.#asked ?? []) modify.reject(491);
    this.#asked = undefined;
  }

  resume(): void {
    if (this.#state === 'suspended') this.#state = 'open';
  }

  /** Lets go of both sides: neither is hung up, and whoever takes them over listens to them. */
  release(): void {
    this.suspend();
    this.#state = 'closed';
    this.#options.music?.end();
  }

  #onEnded(side: 'inbound' | 'outbound', end: SessionEnd, other: BridgeSide): void {
    if (this.#state === 'closed') return;
    const stays = this.#options.staysAfter?.(side) === true;
    if (stays) this.suspend();
    this.#state = 'closed';
    this.#options.music?.end();
    if (!stays) other.session.end(passReason(end.reason));
    this.#options.onEnded(side, end);
  }

  /** A re-INVITE of one side becomes one to the other; hold, resume, new codecs and addresses pass this way. */
  #relay(modify: IncomingModify, from: BridgeSide, to: BridgeSide): void {
    const { mailbox, logger, callId } = this.#options;
    if (this.#state !== 'open') return modify.reject(491);
    this.#asked ??= new Set();
    this.#asked.add(modify);
    mailbox
      .run(() => {
        // Its turn may come when the sides are open again, but it has its 491 already.
        if (this.#asked?.delete(modify) !== true) return undefined;
        return this.#state === 'open' ? this.#exchange(modify, from, to) : modify.reject(491);
      })
      .catch((error: unknown) => {
        logger.error({ callId, err: error }, 'a re-INVITE could not be passed on');
        modify.reject(500);
      });
  }

  async #exchange(modify: IncomingModify, from: BridgeSide, to: BridgeSide): Promise<void> {
    const { media, music } = this.#options;
    if ((await music?.serve(modify, from, to)) === true) return this.#options.onChanged();
    const told = { from: from.session.agreed?.local, to: to.session.agreed?.local };
    const way = { media, fromLeg: from.legId, toLeg: to.legId, told };
    if (!(await passModify(modify, to.session, way))) return;
    music?.end();
    this.#options.onChanged();
  }

  /**
   * A re-INVITE was taken back by who sent it, and accepted by the other side all the same: `late` now holds to a
   * description that its partner does not know. It is offered what held before.
   */
  #restore(before: Agreed | undefined, late: BridgeSide, partner: BridgeSide): void {
    if (before === undefined || this.#state !== 'open') return;
    const { mailbox, logger, callId } = this.#options;
    mailbox
      .run(async () => {
        const result = await late.session.modify({ sdp: before.local, retry: true });
        if (result.kind !== 'accepted' || result.sdp === undefined) return;
        if (!sameButOrigin(result.sdp, before.remote)) {
          await partner.session.modify({ sdp: await this.#offer(late, partner, result.sdp), retry: true });
        }
        this.#options.onChanged();
      })
      .catch((error: unknown) => logger.error({ callId, err: error }, 'two legs could not be brought together again'));
  }

  /** A side has answered a refresh of ours with something new: its partner is offered it. */
  #tell(answer: string, from: BridgeSide, partner: BridgeSide): void {
    if (this.#state !== 'open') return;
    const { mailbox, logger, callId } = this.#options;
    mailbox
      .run(async () => {
        await partner.session.modify({ sdp: await this.#offer(from, partner, answer), retry: true });
        this.#options.onChanged();
      })
      .catch((error: unknown) => logger.error({ callId, err: error }, 'a new description could not be passed on'));
  }

  /** Digits and the like; true when it was one. */
  #pass(incoming: IncomingRequest, to: BridgeSide): boolean {
    if (incoming.request.method !== 'INFO' || this.#state === 'closed') return false;
    passInfo(incoming, to.session);
    return true;
  }

  async #offer(from: BridgeSide, to: BridgeSide, sdp: string): Promise<string> {
    const offer = await this.#options.media.offer({ fromLeg: from.legId, toLeg: to.legId, sdp });
    return inPlaceOf(offer, from.session.agreed?.local, to.session.agreed?.local).offer;
  }
}
