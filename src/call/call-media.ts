import type { AddressSet } from '../base/address-set.js';
import type { Logger } from '../base/logger.js';
import type { MediaMode } from '../base/media-mode.js';
import type { TenantId } from '../base/tenant.js';
import type { MediaEngine } from '../media/media-engine.js';
import { parseSdp } from '../protocol/sdp/lines.js';
import { mediaSummary } from '../protocol/sdp/media.js';
import { unlessFaulty } from './media-fault.js';
import { decideMediaPath, type MediaDecision, type MediaSide } from './media-path.js';

/** A description on its way from one leg of a call to another. */
export interface LegExchange {
  readonly fromLeg: string;
  readonly toLeg: string;
  /** The description as `fromLeg` sent it. */
  readonly sdp: string;
  /** The IP address that it has just come from; absent: where its signalling came from before. */
  readonly seenAt?: string;
}

/** Where the media of calls goes, unless a party has a wish of its own. */
export interface MediaPolicy {
  readonly engine: MediaEngine;
  /** For parties that have no mode of their own. */
  readonly mode: MediaMode;
  /** False: nobody has a mode other than `direct`, so that nothing is kept for the calls. */
  readonly watches: boolean;
  /** The networks that the server reaches without a NAT, besides those of addresses that are their own. */
  readonly localNetworks: AddressSet;
}

/** What is kept of a call's media for a restart: plain data. */
export interface CallMediaSnapshot {
  readonly path: 'direct' | 'relay';
  readonly sides: Readonly<Record<string, MediaSide>>;
}

/** The media of one call: what its legs are told of each other, by the path that was decided for them. */
export interface CallMedia {
  /** What is known of a leg, from its start or anew. */
  leg(legId: string, side: MediaSide | undefined): void;
  side(legId: string): MediaSide | undefined;
  /** An offer on its way to another leg; resolves to what that leg is told. */
  offer(exchange: LegExchange): Promise<string>;
  /** The answer on its way back. */
  answer(exchange: LegExchange): Promise<string>;
  /** All other legs have left the call, or will never be in it. */
  keep(legIds: readonly string[]): void;
  /** The path that the last answer has shown to be needed, when it is not the one that was taken. */
  readonly wanted: MediaDecision | undefined;
  /** From the next offer on the media goes by this path; the function that it returns takes that back. */
  choose(decision: MediaDecision): () => void;
  /** Both parties have taken the path that was chosen: what only the other one needed goes. */
  settle(): void;
  snapshot(): CallMediaSnapshot | undefined;
  /** The call was taken over from another life of the process. What the engine kept for it is gone; the snapshot says so no less. */
  restore(snapshot: CallMediaSnapshot): void;
  /** The call is over. */
  end(): void;
}

/** Calls of parties that are all set to `direct`: descriptions pass untouched, and nothing is kept. */
export const DIRECT_MEDIA: CallMedia = Object.freeze({
  wanted: undefined,
  leg: () => {},
  offer: ({ sdp }: LegExchange) => Promise.resolve(sdp),
  answer: ({ sdp }: LegExchange) => Promise.resolve(sdp),
  side: () => undefined,
  keep: () => {},
  choose: () => () => {},
  settle: () => {},
  snapshot: () => undefined,
  restore: () => {},
  end: () => {},
});

export interface WatchedMediaOptions {
  readonly policy: MediaPolicy;
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly logger: Logger;
  /** A path was decided that is not a matter of course. */
  readonly onDecided: (decision: MediaDecision) => void;
}

/** The media of a call whose path depends on who talks, and from where. */
export class WatchedMedia implements CallMedia {
  readonly #options: WatchedMediaOptions;
  readonly #sides = new Map<string, MediaSide>();
  /** By the two legs: what was decided for them. */
  readonly #pairs = new Map<string, MediaDecision>();
  #chosen: MediaDecision | undefined;
  #wanted: MediaDecision | undefined;
  #path: 'direct' | 'relay' = 'direct';
  /** The engine was asked for something, and keeps it. */
  #relayed = false;
  #ended = false;

  constructor(options: WatchedMediaOptions) {
    this.#options = options;
  }

  get wanted(): MediaDecision | undefined {
    return this.#wanted;
  }

  leg(legId: string, side: MediaSide | undefined): void {
    if (side !== undefined) this.#sides.set(legId, side);
  }

  side(legId: string): MediaSide | undefined {
    return this.#sides.get(legId);
  }

  async offer(exchange: LegExchange): Promise<string> {
    const { fromLeg, toLeg } = exchange;
    this.#said(exchange);
    const pair = pairOf(fromLeg, toLeg);
    let decision = this.#chosen ?? this.#pairs.get(pair);
    if (decision?.path !== 'relay' && this.#chosen === undefined) {
      // A party that has moved may be out of reach now; media that is relayed once stays so.
      decision = this.#decide(fromLeg, toLeg);
      if (decision !== undefined) this.#options.onDecided(decision);
    }
    if (decision === undefined) return exchange.sdp;
    this.#pairs.set(pair, decision);
    if (decision.path === 'direct' || this.#ended) return exchange.sdp;
    this.#relayed = true;
    return this.#live(this.#options.policy.engine.offer(this.#asked(exchange)));
  }

  async answer(exchange: LegExchange): Promise<string> {
    const { fromLeg, toLeg } = exchange;
    this.#said(exchange);
    const decision = this.#pairs.get(pairOf(fromLeg, toLeg));
    this.#path = decision?.path ?? 'direct';
    if (decision?.path === 'relay' && !this.#ended)
      return this.#live(this.#options.policy.engine.answer(this.#asked(exchange)));
    const now = this.#decide(fromLeg, toLeg);
    this.#wanted = this.#chosen === undefined && now?.path === 'relay' ? now : undefined;
    return exchange.sdp;
  }

  keep(legIds: readonly string[]): void {
    for (const legId of [...this.#sides.keys()]) {
      if (legIds.includes(legId)) continue;
      this.#sides.delete(legId);
      for (const pair of [...this.#pairs.keys()]) if (pair.split(' ').includes(legId)) this.#pairs.delete(pair);
      this.#release(legId);
    }
  }

  end(): void {
    this.#ended = true;
    this.#release();
  }

  choose(decision: MediaDecision): () => void {
    const [before, pairs, path] = [this.#chosen, new Map(this.#pairs), this.#path];
    this.#chosen = decision;
    this.#wanted = undefined;
    return () => {
      this.#chosen = before;
      this.#path = path;
      this.#pairs.clear();
      for (const [pair, decided] of pairs) this.#pairs.set(pair, decided);
    };
  }

  settle(): void {
    if (this.#path === 'relay') return;
    for (const legId of this.#sides.keys()) this.#release(legId);
  }

  snapshot(): CallMediaSnapshot {
    return { path: this.#path, sides: Object.fromEntries(this.#sides) };
  }

  restore({ path, sides }: CallMediaSnapshot): void {
    this.#path = path;
    for (const [legId, side] of Object.entries(sides)) this.#sides.set(legId, side);
  }

  #decide(a: string, b: string): MediaDecision | undefined {
    const [from, to] = [this.#sides.get(a), this.#sides.get(b)];
    if (from === undefined || to === undefined) return undefined;
    return decideMediaPath(from, to, this.#options.policy.localNetworks);
  }

  /** What the engine says; when the call has ended meanwhile, it is told again to forget it. */
  async #live(asked: Promise<string>): Promise<string> {
    const told = await asked;
    if (this.#ended) this.#release();
    return told;
  }

  #release(legId?: string): void {
    if (!this.#relayed) return;
    const { policy, callId, logger } = this.#options;
    policy.engine
      .delete(callId, legId)
      .catch((error: unknown) => logger.warn({ callId, err: error }, 'media was not released'));
  }

  #said({ fromLeg, sdp, seenAt }: LegExchange): void {
    const side = this.#sides.get(fromLeg);
    if (side === undefined) return;
    const said = mediaAddress(sdp);
    this.#sides.set(fromLeg, {
      ...side,
      ...(said === undefined ? {} : { said }),
      // A phone that has changed its network speaks from there, too.
      ...(seenAt === undefined ? {} : { address: seenAt }),
    });
  }

  #asked({ fromLeg, toLeg, sdp }: LegExchange) {
    const { tenantId, callId } = this.#options;
    const fromAddress = this.#sides.get(fromLeg)?.address;
    const to = this.#sides.get(toLeg);
    const toAddress = to?.address ?? to?.hop;
    return {
      tenantId,
      callId,
      fromLeg,
      toLeg,
      sdp,
      ...(fromAddress === undefined ? {} : { fromAddress }),
      ...(toAddress === undefined ? {} : { toAddress }),
    };
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** The address of the first stream in use; undefined when there is none, or the description cannot be read. */
export function mediaAddress(sdp: string): string | undefined {
  return unlessFaulty(() => mediaSummary(parseSdp(sdp)).find(({ active }) => active)?.address);
}
