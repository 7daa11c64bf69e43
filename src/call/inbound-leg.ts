import type { EarlySession } from '../dialog/early-session.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { Answer, Progress } from '../dialog/outgoing-invite.js';
import { readable } from '../protocol/sip/parse-error.js';
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

/** Early media that was passed on. */
interface EarlyMedia {
  readonly legId: string;
  /** As the caller was told. */
  readonly sdp: string;
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
  /** What the caller was told to listen to, by source; the last one told comes last. */
  readonly #early = new Map<string, EarlyMedia>();
  /** Who rings without a description, by source. */
  readonly #ringing = new Map<string, string>();
  /** The owner of the first To tag will not answer: nobody else speaks under that tag. */
  #firstGone = false;

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
    const source = sourceKey(legId, progress.remoteTag);
    if (progress.sdp === undefined || (this.invite.sdp === undefined && !offers)) {
      if (status === 180) this.#ringing.set(source, legId);
      if (status === 180 && this.#ringingTold) return;
      this.#ringingTold ||= status === 180;
      this.invite.progress({ status, reason, headers, ...(this.#firstGone ? { branch: source } : {}) });
      return;
    }
    const exchange = { sdp: progress.sdp, ...this.#towardsCaller(legId) };
    const sdp = offers ? await this.#options.media.offer(exchange) : await this.#options.media.answer(exchange);
    this.#earlySource ??= source;
    this.#early.delete(source);
    if (!offers) this.#early.set(source, { legId, sdp });
    this.#ringingTold ||= status === 180;
    const early = this.invite.progress({ status, reason, sdp, branch: this.#branchOf(source), headers });
    this.#join(legId, early, progress);
  }

  /**
   * `legId` has failed, and others may still answer. A caller that listens to it would hear nothing any more: it is told that this early
   * dialog is over, if it knows how (199, RFC 6228 §5), and then of early media that goes on, or that somebody rings under another To
   * tag, which lets it make its own ringing tone (RFC 3960 §3.2).
   */
  leave(legId: string, status: number | undefined): void {
    const gone = this.#forget(legId);
    if (gone.length === 0) return;
    if (this.#knows199) {
      const headers = status === undefined ? {} : { Reason: `SIP;cause=${status}` };
      for (const source of gone) this.invite.progress({ status: 199, branch: this.#tagOf(source), headers });
    }
    this.#firstGone ||= gone.some((source) => source === this.#earlySource);
    const early = [...this.#early].at(-1);
    const ringing = [...this.#ringing.keys()][0];
    if (early !== undefined) {
      const [source, { sdp }] = early;
      this.invite.progress({ status: 183, sdp, branch: this.#branchOf(source) });
    } else if (ringing !== undefined) {
      this.#ringingTold = true;
      this.invite.progress({ status: 180, branch: ringing });
    } else this.#ringingTold = false;
  }

  /** Everybody who was called has failed; who is called next speaks under tags of his own if the caller was told to listen. */
  forget(): void {
    this.#ringing.clear();
    if (this.#early.size === 0) return;
    this.#early.clear();
    this.#firstGone = true;
    this.#ringingTold = false;
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
    if (this.#firstGone) return source;
    return this.#earlySource === undefined ? '' : this.#tagOf(source);
  }

  /** The branch under which the source has spoken. */
  #tagOf(source: string): string {
    return this.#earlySource === source ? '' : source;
  }

  /** The sources of a leg that the caller was told to listen to. */
  #forget(legId: string): string[] {
    for (const [source, ringing] of this.#ringing) if (ringing === legId) this.#ringing.delete(source);
    const gone = [...this.#early].filter(([, early]) => early.legId === legId).map(([source]) => source);
    for (const source of gone) this.#early.delete(source);
    return gone;
  }

  get #knows199(): boolean {
    const supported = readable(() => this.invite.request.headers.get('Supported'));
    return supported?.includes('199') === true;
  }
}

function sourceKey(legId: string, remoteTag: string): string {
  return `${legId}:${remoteTag}`;
}
