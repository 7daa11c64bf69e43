import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { Answer, Progress } from '../dialog/outgoing-invite.js';
import type { MediaEngine } from '../media/media-engine.js';
import { passPhrase, passProgress } from './passing.js';

/** The name of the caller's leg in records, journals and media exchanges. */
export const INBOUND_LEG = 'a';

export interface InboundLegOptions {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly invite: IncomingInvite;
  readonly media: MediaEngine;
  /** Fires when the call is over, whoever ended it. */
  readonly signal: AbortSignal;
}

/**
 * What the caller sees before and at the answer. One 180 is told however many phones ring; early media has one To tag
 * for each source that sends it, so that no tag ever sees two different answers.
 */
export class InboundLeg {
  readonly invite: IncomingInvite;
  readonly #options: InboundLegOptions;
  /** The source that sent early media first, and so owns the first To tag that the caller saw. */
  #earlySource: string | undefined;
  #ringingTold = false;

  constructor(options: InboundLegOptions) {
    this.#options = options;
    this.invite = options.invite;
  }

  /** Passes a provisional response of `legId` on. */
  async progress(legId: string, progress: Progress): Promise<void> {
    const { status, response } = progress;
    const reason = passPhrase(progress.reason);
    if (status === 199) return;
    const headers = passProgress(response);
    // Without an offer in the INVITE a description in an unreliable 1xx is no answer (RFC 3261 §13.2.1).
    if (progress.sdp === undefined || this.invite.sdp === undefined) {
      if (status === 180 && this.#ringingTold) return;
      this.#ringingTold ||= status === 180;
      this.invite.progress({ status, reason, headers });
      return;
    }
    const sdp = await this.#options.media.answer({ ...this.#towardsCaller(legId), sdp: progress.sdp });
    const source = sourceKey(legId, progress.remoteTag);
    this.#earlySource ??= source;
    this.invite.progress({ status, reason, sdp, branch: this.#branchOf(source), headers });
  }

  /** Answers the caller with what `legId` answered; undefined when the call is over meanwhile. */
  async accept(legId: string, answer: Answer): Promise<InviteSession | undefined> {
    const sdp = answer.sdp === undefined ? undefined : await this.#translate(legId, answer.sdp);
    if (this.#options.signal.aborted) return undefined;
    return this.invite.accept({ sdp, branch: this.#branchOf(sourceKey(legId, answer.remoteTag)) });
  }

  /** The callee's answer; or its offer, when the caller made none. */
  #translate(legId: string, sdp: string): Promise<string> {
    const { media } = this.#options;
    const exchange = { ...this.#towardsCaller(legId), sdp };
    return this.invite.sdp === undefined ? media.offer(exchange) : media.answer(exchange);
  }

  #towardsCaller(legId: string): { tenantId: TenantId; callId: string; fromLeg: string; toLeg: string } {
    const { tenantId, callId } = this.#options;
    return { tenantId, callId, fromLeg: legId, toLeg: INBOUND_LEG };
  }

  #branchOf(source: string): string {
    return this.#earlySource === undefined || this.#earlySource === source ? '' : source;
  }
}

function sourceKey(legId: string, remoteTag: string): string {
  return `${legId}:${remoteTag}`;
}
