import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { InviteSession } from '../dialog/invite-session.js';
import { sameButOrigin } from '../dialog/local-description.js';
import type { ModifyResult } from '../dialog/outgoing-modify.js';
import { reasonPhrase } from '../protocol/sip/status.js';
import type { CallLeg } from './call-leg.js';
import type { CallMedia } from './call-media.js';
import { asNewOffer, inPlace, nothingNew, type Placed } from './described.js';
import { modifyStatusFor } from './outcome.js';

export interface JoinContext {
  readonly media: CallMedia;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Fires when nobody wants the result any more. */
  readonly signal: AbortSignal;
}

interface Failure {
  readonly status: number;
  readonly reason: string;
}

/** What became of it: undefined when both talk, else the status and reason for whoever asked. */
export type JoinFailure = Failure | undefined;

/** What the party that stays has answered to the early media of a leg. */
interface Early {
  readonly legId: string;
  /** What the leg said. */
  readonly sdp: string;
  readonly answer: string;
  /** The answer as the leg would be told it. */
  readonly now: string;
}

/** A re-INVITE that meets another one is sent again this often (RFC 3261 §14.1). */
const GLARE_RETRIES = 4;
const UNAVAILABLE = { status: 480, reason: 'Temporarily Unavailable' };

/**
 * Makes two legs that do not know each other talk, by re-INVITEs: the descriptions that they gave to others are the first
 * that they learn of each other. Each gets one re-INVITE where possible (RFC 3725 is the model). See decision 0010.
 */
export class Join {
  readonly #context: JoinContext;
  /** The party that keeps its dialog and learns of a new partner. */
  readonly #stays: CallLeg;
  /** Early media that the party that stays hears already. */
  #early: Early | undefined;

  constructor(context: JoinContext, stays: CallLeg) {
    this.#context = context;
    this.#stays = stays;
  }

  /**
   * What `toLeg` is offered on behalf of the party that stays, from what that said last; undefined when nothing is known of
   * it. `before`: what `toLeg` was told until now.
   */
  offerFor(toLeg: string, before?: string): Promise<string> | undefined {
    const said = this.#stays.session.agreed?.remote;
    if (said === undefined) return undefined;
    return this.#offer(this.#stays.legId, toLeg, asNewOffer(said, before));
  }

  /** `partner` was offered `told` and has answered `answer`: the party that stays learns of it. */
  async withAnswer(partner: CallLeg, told: string, answer: string): Promise<JoinFailure> {
    const { legId, session } = this.#stays;
    const early = this.#early;
    if (early?.legId === partner.legId && sameButOrigin(early.sdp, answer)) {
      if (!nothingNew(told, early.now)) await this.#tell(partner, early.answer);
      return undefined;
    }
    // Ends the exchange that the offer began, for the engine; what it makes of it is not what is offered now.
    await this.#answer(partner.legId, legId, answer);
    const placed = await this.#placed(partner.legId, this.#stays, answer);
    const result = await this.#modify(session, placed.offer);
    if (result.kind !== 'accepted') return failureOf(result);
    if (result.sdp === undefined) return undefined;
    const answered = placed.answer(result.sdp);
    const now = await this.#answer(legId, partner.legId, answered);
    if (!nothingNew(told, now)) await this.#tell(partner, answered);
    return undefined;
  }

  /**
   * `legId` rings and has sent a description already: the party that stays learns of it. When the answer says the same, nobody needs to be
   * told anything more.
   */
  async withEarly(legId: string, sdp: string): Promise<JoinFailure> {
    const { legId: own, session } = this.#stays;
    await this.#answer(legId, own, sdp);
    const placed = await this.#placed(legId, this.#stays, sdp);
    const result = await this.#modify(session, placed.offer);
    if (result.kind !== 'accepted') return failureOf(result);
    if (result.sdp === undefined) return UNAVAILABLE;
    const answer = placed.answer(result.sdp);
    this.#early = { legId, sdp, answer, now: await this.#answer(own, legId, answer) };
    return undefined;
  }

  /** `partner` was asked for an offer and has made one: `acknowledge` takes the answer to it. */
  async withOffer(
    partner: CallLeg,
    offered: string,
    acknowledge: (sdp: string | undefined) => void,
    refused: string | undefined,
  ): Promise<JoinFailure> {
    try {
      return await this.#passOffer(partner, offered, acknowledge, refused);
    } catch (error) {
      acknowledge(refused);
      throw error;
    }
  }

  async #passOffer(
    partner: CallLeg,
    offered: string,
    acknowledge: (sdp: string | undefined) => void,
    refused: string | undefined,
  ): Promise<JoinFailure> {
    const { legId, session } = this.#stays;
    const placed = await this.#placed(partner.legId, this.#stays, offered);
    const result = await this.#modify(session, placed.offer);
    if (result.kind !== 'accepted' || result.sdp === undefined) {
      acknowledge(refused);
      return result.kind === 'accepted' ? UNAVAILABLE : failureOf(result);
    }
    acknowledge(await this.#answer(legId, partner.legId, placed.answer(result.sdp)));
    return undefined;
  }

  /** Somebody new offers `offered` on the leg `toLeg`: what the party that stays answers, or why it does not. */
  async answerFor(toLeg: string, offered: string): Promise<{ readonly answer: string } | { readonly failed: Failure }> {
    const { legId, session } = this.#stays;
    const placed = await this.#placed(toLeg, this.#stays, offered);
    const result = await this.#modify(session, placed.offer);
    if (result.kind !== 'accepted') return { failed: failureOf(result) };
    if (result.sdp === undefined) return { failed: UNAVAILABLE };
    return { answer: await this.#answer(legId, toLeg, placed.answer(result.sdp)) };
  }

  /** `partner` talks to somebody else: it is offered the party that stays. When that fails it goes back to whom it had. */
  async withEstablished(partner: CallLeg): Promise<JoinFailure> {
    const before = partner.session.agreed?.local;
    const told = await this.offerFor(partner.legId, before);
    const result = await this.#modify(partner.session, told);
    if (result.kind !== 'accepted') return failureOf(result);
    if (told === undefined) {
      if (result.sdp === undefined) {
        result.acknowledge(undefined);
        return UNAVAILABLE;
      }
      return this.withOffer(partner, result.sdp, (sdp) => result.acknowledge(sdp), before);
    }
    const failed = result.sdp === undefined ? UNAVAILABLE : await this.withAnswer(partner, told, result.sdp);
    if (failed !== undefined) await this.restore(partner, before);
    return failed;
  }

  /** The leg is told again what it was told before. */
  async restore(leg: CallLeg, before: string | undefined): Promise<void> {
    if (before !== undefined && !leg.session.ended) await this.#modify(leg.session, before, false);
  }

  /** The party that stays has answered with something that `partner` must know. */
  async #tell(partner: CallLeg, sdp: string): Promise<void> {
    const { legId } = this.#stays;
    const placed = await this.#placed(legId, partner, sdp);
    const result = await this.#modify(partner.session, placed.offer);
    if (result.kind === 'accepted' && result.sdp !== undefined)
      await this.#answer(partner.legId, legId, placed.answer(result.sdp));
  }

  /** A re-INVITE of our own; on glare it waits and tries again (RFC 3261 §14.1). `wanted`: it ends with the signal. */
  async #modify(session: InviteSession, sdp: string | undefined, wanted = true): Promise<ModifyResult> {
    const { signal } = this.#context;
    const options = { ...(sdp === undefined ? {} : { sdp }), ...(wanted ? { signal } : {}) };
    for (let retries = 0; ; retries++) {
      const result = await session.modify(options);
      const glare = result.kind === 'rejected' && result.status === 491;
      if (!glare || retries === GLARE_RETRIES) return result;
      await this.#wait(session.dialog.role === 'uac' ? 2100 + this.#random(1900) : this.#random(2000));
    }
  }

  #random(bound: number): number {
    return this.#context.random.integer(bound);
  }

  #wait(delayMs: number): Promise<void> {
    const { scheduler, signal } = this.#context;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = scheduler.after(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** What `to` is offered, its streams in the places that they have there. */
  async #placed(fromLeg: string, to: CallLeg, sdp: string): Promise<Placed> {
    return inPlace(await this.#offer(fromLeg, to.legId, sdp), to.session.agreed?.local);
  }

  #offer(fromLeg: string, toLeg: string, sdp: string): Promise<string> {
    return this.#context.media.offer({ fromLeg, toLeg, sdp });
  }

  #answer(fromLeg: string, toLeg: string, sdp: string): Promise<string> {
    return this.#context.media.answer({ fromLeg, toLeg, sdp });
  }
}

/** Why a re-INVITE of ours came to nothing, for whoever asked. */
export function failureOf(result: Exclude<ModifyResult, { kind: 'accepted' }>): Failure {
  if (result.kind === 'ended') return { status: 487, reason: 'Request Terminated' };
  const status = modifyStatusFor(result.status);
  return { status, reason: status === result.status ? result.reason : reasonPhrase(status) };
}
