import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { CallLeg } from './call-leg.js';
import type { CallContext } from './context.js';
import { inboundLegStart } from './inbound-leg.js';
import { Join, type JoinFailure } from './join.js';
import { sideOfCaller } from './media-side.js';
import { inboundOutcome } from './outcome.js';
import type { Party } from './party.js';
import type { FoundDialog, Hold, TransferHost } from './transfer-host.js';

export interface ReplacementOptions {
  readonly context: CallContext;
  readonly invite: IncomingInvite;
  /** Who comes. */
  readonly party: Party;
  /** Whose place is taken. */
  readonly found: Extract<FoundDialog, { kind: 'talking' }>;
}

const TERMINATED = { status: 487, reason: 'Request Terminated' };

/**
 * An INVITE with Replaces takes the place of a party that talks (RFC 3891 §4, flow T6): the other one keeps its dialog and
 * learns of the newcomer by a re-INVITE; the replaced party is hung up. When that fails, everything is as it was.
 */
export class Replacement implements Hold {
  readonly leaving: CallLeg;
  readonly #options: ReplacementOptions;
  readonly #host: TransferHost;
  readonly #stays: CallLeg;
  readonly #legId: string;
  readonly #join: Join;
  readonly #abort = new AbortController();

  constructor(options: ReplacementOptions) {
    this.#options = options;
    const { context, found } = options;
    const { scheduler, random } = context;
    this.#host = found.call;
    this.#stays = found.other;
    this.leaving = found.leg;
    this.#legId = this.#host.nextLegId();
    const { media } = this.#host;
    const { signal } = this.#abort;
    this.#join = new Join({ media, scheduler, random, signal }, this.#stays);
  }

  /** Begins, and goes on by itself. False when the call is being transferred already: nothing has been answered then. */
  begin(): boolean {
    if (!this.#host.reserve(this)) return false;
    void this.#run();
    return true;
  }

  onLeft(): void {}

  cancel(): void {
    this.#abort.abort();
    this.#refuse(TERMINATED);
  }

  async #run(): Promise<void> {
    const { context, invite, party } = this.#options;
    const { log, mailbox, id: callId } = this.#host;
    log.addLeg(inboundLegStart(this.#legId, party, invite));
    this.#host.media.leg(this.#legId, sideOfCaller(party, invite.source, context.media?.mode));
    invite.onAbandoned(() => {
      log.endLeg(this.#legId, { outcome: 'cancelled', releasedBy: 'this-party', status: 487 });
      this.#abort.abort();
    });
    try {
      const failed = await mailbox.run(() => this.#takePlace());
      if (failed !== undefined) this.#refuse(failed);
    } catch (error) {
      context.logger.error({ callId, err: error }, 'a party could not be replaced');
      this.#refuse({ status: 500, reason: 'Server Internal Error' });
    } finally {
      this.#host.free(this);
    }
  }

  async #takePlace(): Promise<JoinFailure> {
    if (!this.#host.live || this.#abort.signal.aborted) return TERMINATED;
    const { sdp } = this.#options.invite;
    const before = this.#stays.session.agreed?.local;
    this.#host.suspend();
    try {
      const failed = await (sdp === undefined ? this.#withOurOffer() : this.#withOffer(sdp));
      if (failed !== undefined) await this.#join.restore(this.#stays, before);
      return failed;
    } finally {
      this.#host.resume();
    }
  }

  async #withOffer(sdp: string): Promise<JoinFailure> {
    const result = await this.#join.answerFor(this.#legId, sdp);
    if ('failed' in result) return result.failed;
    const session = this.#accept(result.answer);
    if (session === undefined) return TERMINATED;
    this.#joined(session);
    return undefined;
  }

  /** The newcomer wants to be offered something: its answer comes with the ACK (RFC 3261 §13.2.1). */
  async #withOurOffer(): Promise<JoinFailure> {
    const offer = await this.#join.offerFor(this.#legId);
    if (offer === undefined) return { status: 488, reason: 'Not Acceptable Here' };
    const session = this.#accept(offer);
    if (session === undefined) return TERMINATED;
    const answer = await new Promise<string | undefined>((resolve) => {
      session.handle({
        onModify: (modify) => modify.reject(491),
        onAcknowledged: resolve,
        onEnded: () => resolve(undefined),
      });
    });
    const partner: CallLeg = { legId: this.#legId, session, party: this.#options.party };
    const failed = answer === undefined ? TERMINATED : await this.#join.withAnswer(partner, offer, answer);
    if (failed === undefined && this.#host.live) {
      this.#joined(session);
      return undefined;
    }
    session.end();
    this.#host.log.endLeg(this.#legId, { outcome: 'failed', releasedBy: 'server' });
    return failed ?? TERMINATED;
  }

  #accept(sdp: string): InviteSession | undefined {
    if (!this.#host.live) return undefined;
    const session = this.#options.invite.accept({ sdp });
    if (session !== undefined) this.#host.log.answered(this.#legId);
    return session;
  }

  #joined(session: InviteSession): void {
    const { party } = this.#options;
    const partner: CallLeg = { legId: this.#legId, session, party };
    this.#host.replace(this.leaving, partner, {
      kind: 'replaced',
      fromLeg: this.leaving.legId,
      toLeg: this.#legId,
      to: party.number,
      status: 200,
    });
    this.leaving.session.end();
  }

  #refuse({ status, reason }: { readonly status: number; readonly reason: string }): void {
    const { invite } = this.#options;
    invite.reject({ status, reason });
    this.#host.log.endLeg(this.#legId, {
      outcome: inboundOutcome(status),
      releasedBy: 'other-party',
      status,
      cause: reason,
    });
  }
}
