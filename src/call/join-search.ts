import type { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { Answer, OutgoingInviteOptions, Progress } from '../dialog/outgoing-invite.js';
import type { HeaderInit } from '../protocol/sip/message.js';
import type { Target } from '../ua/target.js';
import { type CallLeg, partyOfTarget } from './call-leg.js';
import type { CallMedia } from './call-media.js';
import type { CallLog } from './call-record.js';
import type { CallContext } from './context.js';
import type { OutboundLeg } from './fork.js';
import { type LegNumbers, legIdentity } from './identity.js';
import { Join, type JoinFailure } from './join.js';
import { resolvedSideOfTarget } from './media-side.js';
import type { RouteContext } from './route.js';
import { Search, type SearchResult } from './search.js';

export interface JoinSearchOptions {
  readonly context: CallContext;
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  /** The party that talks already, or is talked to by the server. */
  readonly stays: CallLeg;
  /** Where to. */
  readonly route: Pick<RouteContext, 'called' | 'requestUri' | 'source' | 'transferor'>;
  /** What the outbound legs are sent with. */
  readonly maxForwards: number;
  /** The legs that stay in the call whatever becomes of this: what was prepared for others is given back when nobody is joined. */
  readonly legs: readonly string[];
  /** What the INVITE of a leg says besides who calls whom. */
  readonly headers: (target: Target) => HeaderInit;
  readonly nextLegId: () => string;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
  readonly onProgress: (leg: OutboundLeg, progress: Progress) => void;
  /** Whether the party that stays is there still. */
  readonly live: () => boolean;
  /** What must be undone at once when nobody waits any more. */
  readonly onCancelled: (undo: () => void) => void;
  /** Somebody has answered and both are to be joined: what they ask of others is refused meanwhile. */
  readonly suspend: () => void;
  readonly resume: () => void;
  /** Awaited before the party that stays learns of who has answered. */
  readonly beforeJoin?: () => Promise<void>;
  /** Both talk. */
  readonly onJoined: (partner: CallLeg) => void;
}

export type JoinSearchResult =
  | { readonly kind: 'joined' }
  /** Somebody has answered, and could not be joined. */
  | { readonly kind: 'not-joined'; readonly failure: NonNullable<JoinFailure> }
  | Exclude<SearchResult, { kind: 'answered' }>;

/** Statuses that say: not with this description. Then the target is asked for one (RFC 3261 §13.2.1). */
const NOT_WITH_THIS_OFFER = new Set([415, 488, 606]);
const TERMINATED = { status: 487, reason: 'Request Terminated' };

/** A party that has a session already is joined with whoever answers at a number: RFC 3725 and RFC 5589 §6 are the models. */
export class JoinSearch {
  readonly join: Join;
  readonly #options: JoinSearchOptions;
  /** What each leg was offered. */
  readonly #told = new Map<string, string>();
  /** A phone was offered something. Trunks are not asked for an offer: many refuse to make one. */
  #phoneTold = false;

  constructor(options: JoinSearchOptions) {
    const { context, media, signal, stays } = options;
    const { scheduler, random } = context;
    this.#options = options;
    this.join = new Join({ media, scheduler, random, signal }, stays);
  }

  async run(): Promise<JoinSearchResult> {
    let result = await this.#search(true);
    const refused = result.kind === 'refused' ? result.refusal.status : 0;
    if (NOT_WITH_THIS_OFFER.has(refused) && this.#phoneTold) result = await this.#search(false);
    if (result.kind !== 'answered') return this.#nobody(result);
    const { leg, called, answer } = result;
    const failure = await this.#options.mailbox.run(() => this.#connect(leg, called, answer));
    return failure === undefined ? { kind: 'joined' } : this.#nobody({ kind: 'not-joined', failure });
  }

  #nobody<Result>(result: Result): Result {
    const { media, legs, live } = this.#options;
    if (live()) media.keep(legs);
    return result;
  }

  #search(withOffer: boolean): Promise<SearchResult> {
    const { context, log, callId, tenantId, stays, route, signal, nextLegId, onProgress } = this.#options;
    const search = new Search({
      context,
      log,
      route: { callId, tenantId, caller: stays.party, ...route },
      signal,
      nextLegId,
      prepare: (leg, numbers) => this.#prepare(leg, numbers, withOffer),
      onProgress,
    });
    return search.run();
  }

  async #prepare(leg: OutboundLeg, numbers: LegNumbers, withOffer: boolean): Promise<OutgoingInviteOptions> {
    const { context, media, tenantId, stays, maxForwards, headers, signal } = this.#options;
    const { target } = leg;
    media.leg(leg.id, await resolvedSideOfTarget(context, target, numbers.called, signal));
    const isPhone = target.policy.peer === 'phone';
    const sdp = withOffer || !isPhone ? await this.join.offerFor(leg.id) : undefined;
    if (sdp !== undefined) this.#told.set(leg.id, sdp);
    this.#phoneTold ||= sdp !== undefined && isPhone;
    const domain = context.domainOf(tenantId);
    const { headers: identity, ...parties } = legIdentity(stays.party, numbers, domain, target.policy);
    return {
      target,
      ...parties,
      maxForwards,
      headers: { ...identity, ...headers(target) },
      ...(sdp === undefined ? {} : { sdp }),
    };
  }

  /** Somebody has answered: in the order of the call's events. */
  async #connect(leg: OutboundLeg, called: string, answer: Answer): Promise<JoinFailure> {
    const { log, live, signal, onCancelled, suspend, resume, beforeJoin, onJoined } = this.#options;
    const partner: CallLeg = { legId: leg.id, session: answer.session, party: partyOfTarget(leg.target, called) };
    const release = (by: 'server' | 'other-party'): void => {
      answer.acknowledge(undefined);
      answer.session.end();
      log.endLeg(leg.id, { outcome: by === 'server' ? 'failed' : 'cancelled', releasedBy: by });
    };
    if (signal.aborted || !live()) {
      release('other-party');
      return TERMINATED;
    }
    onCancelled(() => release('other-party'));
    suspend();
    let failed: JoinFailure;
    try {
      await beforeJoin?.();
      failed = live() ? await this.#meet(partner, answer) : TERMINATED;
    } catch (error) {
      release('server');
      throw error;
    } finally {
      onCancelled(() => {});
      resume();
    }
    if (failed !== undefined || !live()) {
      release('server');
      return failed ?? TERMINATED;
    }
    onJoined(partner);
    return undefined;
  }

  #meet(partner: CallLeg, answer: Answer): Promise<JoinFailure> {
    const told = this.#told.get(partner.legId);
    const { sdp } = answer;
    if (sdp === undefined) return Promise.resolve({ status: 488, reason: 'Not Acceptable Here' });
    if (told !== undefined) return this.join.withAnswer(partner, told, sdp);
    return this.join.withOffer(partner, sdp, (passed) => answer.acknowledge(passed), undefined);
  }
}
