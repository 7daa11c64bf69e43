import type { EarlySession } from '../dialog/early-session.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { Answer, Progress } from '../dialog/outgoing-invite.js';
import { formatUri } from '../protocol/sip/uri.js';
import type { CallMedia } from './call-media.js';
import type { LegStart } from './call-record.js';
import { passModify } from './exchange.js';
import type { Party } from './party.js';
import { passPhrase, passProgress } from './passing.js';

/** The name of the caller's leg in records, journals and media exchanges. */
export const INBOUND_LEG = 'a';

/** What the record knows of the leg of whoever has sent an INVITE, from its start. */
export function inboundLegStart(
  id: string,
  { number, displayName, via }: Party,
  { request }: IncomingInvite,
): LegStart {
  return {
    id,
    direction: 'inbound',
    number,
    ...(displayName === undefined ? {} : { displayName }),
    uri: formatUri(request.from.uri),
    sipCallId: request.callId,
    ...(via === undefined ? {} : { via: via.name }),
  };
}

export interface InboundLegOptions {
  readonly invite: IncomingInvite;
  readonly media: CallMedia;
  /** Fires when the call is over, whoever ended it. */
  readonly signal: AbortSignal;
}

/**
 * What the caller sees before and at the answer. One 180 is told however many phones ring; early media has one To tag
 * for each source that sends it, so that no tag ever sees two different answers. Whether a response is sent reliably is
 * each side's own matter (RFC 3262 is hop by hop), but for an offer in it: the callee's PRACK waits for the caller's answer.
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
    const { status, response, acknowledge } = progress;
    const reason = passPhrase(progress.reason);
    const headers = passProgress(response);
    const offers = acknowledge !== undefined;
    if (status === 199 && !offers) return;
    // Without an offer in the INVITE a description in an unreliable 1xx is no answer (RFC 3261 §13.2.1).
    if (progress.sdp === undefined || (this.invite.sdp === undefined && !offers)) {
      if (status === 180 && this.#ringingTold) return;
      this.#ringingTold ||= status === 180;
      this.invite.progress({ status, reason, headers });
      return;
    }
    const exchange = { sdp: progress.sdp, ...this.#towardsCaller(legId) };
    const sdp = offers ? await this.#options.media.offer(exchange) : await this.#options.media.answer(exchange);
    const source = sourceKey(legId, progress.remoteTag);
    this.#earlySource ??= source;
    this.#ringingTold ||= status === 180;
    const early = this.invite.progress({ status, reason, sdp, branch: this.#branchOf(source), headers });
    this.#join(legId, early, progress);
  }

  /** Answers the caller with what `legId` answered; undefined when the call is over meanwhile. */
  async accept(legId: string, answer: Answer): Promise<InviteSession | undefined> {
    const { signal } = this.#options;
    const branch = this.#branchOf(sourceKey(legId, answer.remoteTag));
    const settled = this.invite.acceptable(branch) || (await this.invite.settled(branch));
    if (!settled || signal.aborted) return undefined;
    const known = answer.agreedEarly && this.invite.agreed(branch);
    const sdp = known || answer.sdp === undefined ? undefined : await this.#translate(legId, answer.sdp);
    if (signal.aborted) return undefined;
    return this.invite.accept({ sdp, branch });
  }

  /** What the two sides of an early dialog ask of each other passes, and the caller's answer to the callee's offer. */
  #join(legId: string, caller: EarlySession | undefined, { early: callee, acknowledge }: Progress): void {
    const { media } = this.#options;
    const back = { ...this.#towardsCaller(legId), fromLeg: INBOUND_LEG, toLeg: legId };
    caller?.handle({
      onModify: (modify) => void this.#pass(modify, back, callee),
      onAcknowledged: (sdp) => {
        if (acknowledge === undefined) return;
        const answered = sdp === undefined ? Promise.resolve(undefined) : media.answer({ sdp, ...back });
        // A media engine that fails leaves the callee without an answer: it gives the INVITE up.
        answered.then(acknowledge, () => acknowledge(undefined));
      },
    });
    callee?.handle({ onModify: (modify) => void this.#pass(modify, this.#towardsCaller(legId), caller) });
  }

  async #pass(
    modify: IncomingModify,
    way: { readonly fromLeg: string; readonly toLeg: string },
    to: EarlySession | undefined,
  ): Promise<void> {
    // RFC 6337 §2.3: 488 where the other side cannot be asked before the answer.
    if (to?.modifiable !== true) return modify.reject(488);
    try {
      await passModify(modify, to, { media: this.#options.media, ...way });
    } catch {
      modify.reject(500);
    }
  }

  /** The callee's answer; or its offer, when the caller made none. */
  #translate(legId: string, sdp: string): Promise<string> {
    const { media } = this.#options;
    const exchange = { sdp, ...this.#towardsCaller(legId) };
    return this.invite.sdp === undefined ? media.offer(exchange) : media.answer(exchange);
  }

  #towardsCaller(legId: string): { fromLeg: string; toLeg: string } {
    return { fromLeg: legId, toLeg: INBOUND_LEG };
  }

  #branchOf(source: string): string {
    return this.#earlySource === undefined || this.#earlySource === source ? '' : source;
  }
}

function sourceKey(legId: string, remoteTag: string): string {
  return `${legId}:${remoteTag}`;
}
