import type { Answer, OutgoingInviteOptions } from '../dialog/outgoing-invite.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Source } from '../ua/target.js';
import { type CallLeg, partyOfTarget } from './call-leg.js';
import type { OutboundLeg } from './fork.js';
import { type LegNumbers, legIdentity } from './identity.js';
import { Join, type JoinFailure } from './join.js';
import { sideOfTarget } from './media-side.js';
import { outcome } from './outcome.js';
import { partyAddress } from './party.js';
import { Search, type SearchResult } from './search.js';
import { TERMINATED, TRANSFERRED, type TransferParts, type TransferResult } from './transfer-parts.js';

export interface BlindTransferOptions {
  readonly kind: 'blind' | 'recall';
  readonly target: Uri;
  /** The number in it. */
  readonly to: string;
  readonly hops: number;
  /** The transferor does not want to be named to the target. */
  readonly withheld: boolean;
  /** Where the REFER came from. */
  readonly source: Source;
}

/** Statuses that say: not with this description. Then the target is asked for one (RFC 3261 §13.2.1). */
const NOT_WITH_THIS_OFFER = new Set([415, 488, 606]);

/** The party that stays is joined with whoever answers at a number: RFC 5589 §6, flows T1 to T3. */
export class BlindTransfer {
  readonly #parts: TransferParts;
  readonly #options: BlindTransferOptions;
  readonly #join: Join;
  /** What each leg was offered. */
  readonly #told = new Map<string, string>();
  /** A phone was offered something. Trunks are not asked for an offer: many refuse to make one. */
  #phoneTold = false;
  #rang = false;

  constructor(parts: TransferParts, options: BlindTransferOptions) {
    this.#parts = parts;
    this.#options = options;
    const { host, context, stays, signal } = parts;
    const { scheduler, random } = context;
    this.#join = new Join({ media: host.media, scheduler, random, signal }, stays);
  }

  async run(): Promise<TransferResult> {
    let result = await this.#search(true);
    const refused = result.kind === 'refused' ? result.refusal.status : 0;
    if (NOT_WITH_THIS_OFFER.has(refused) && this.#phoneTold) result = await this.#search(false);
    switch (result.kind) {
      case 'answered': {
        const { leg, called, answer } = result;
        return this.#parts.host.mailbox.run(() => this.#connect(leg, called, answer));
      }
      case 'refused':
        return {
          status: result.refusal.status,
          reason: result.refusal.reason ?? outcome('failed', result.refusal.status).reason,
        };
      case 'handler':
        // A handler serves callers who wait for an answer; a party that talks already cannot be given to it yet.
        return { status: 501, reason: 'Not Implemented' };
      case 'abandoned':
        return TERMINATED;
    }
  }

  #search(withOffer: boolean): Promise<SearchResult> {
    const { context, host, leaving, stays, signal } = this.#parts;
    const { target, to, source } = this.#options;
    const search = new Search({
      context,
      log: host.log,
      route: {
        callId: host.id,
        tenantId: host.tenantId,
        caller: stays.party,
        called: to,
        requestUri: target,
        source,
        transferor: leaving.party,
      },
      signal,
      nextLegId: () => host.nextLegId(),
      prepare: (leg, numbers) => this.#prepare(leg, numbers, withOffer),
      onProgress: (_leg, { status, reason }) => {
        if (status !== 180 && status !== 183) return;
        if (!this.#rang) this.#parts.progress(status, reason);
        this.#rang = true;
      },
    });
    return search.run();
  }

  async #prepare(leg: OutboundLeg, numbers: LegNumbers, withOffer: boolean): Promise<OutgoingInviteOptions> {
    const { context, host, leaving, stays } = this.#parts;
    host.media.leg(leg.id, sideOfTarget(leg.target, numbers.called, context.media?.mode));
    const isPhone = leg.target.policy.peer === 'phone';
    const sdp = withOffer || !isPhone ? await this.#join.offerFor(leg.id) : undefined;
    if (sdp !== undefined) this.#told.set(leg.id, sdp);
    this.#phoneTold ||= sdp !== undefined && isPhone;
    const domain = context.domainOf(host.tenantId);
    const { headers: identity, ...parties } = legIdentity(stays.party, numbers, domain, leg.target.policy);
    // RFC 3892 §2: who refers is who we know it to be, whatever its own Referred-By said.
    const { kind, withheld } = this.#options;
    const told = kind === 'blind' && !withheld && leaving.party.withheld !== true;
    const referredBy = told ? { 'Referred-By': { uri: partyAddress(leaving.party, domain).uri, params: [] } } : {};
    return {
      target: leg.target,
      ...parties,
      maxForwards: this.#options.hops,
      headers: { ...identity, ...referredBy },
      ...(sdp === undefined ? {} : { sdp }),
    };
  }

  /** Somebody has answered: in the order of the call's events. */
  async #connect(leg: OutboundLeg, called: string, answer: Answer): Promise<TransferResult> {
    const { host, leaving, signal, onCancelled } = this.#parts;
    const partner: CallLeg = { legId: leg.id, session: answer.session, party: partyOfTarget(leg.target, called) };
    const release = (by: 'server' | 'other-party'): void => {
      answer.acknowledge(undefined);
      answer.session.end();
      host.log.endLeg(leg.id, { outcome: by === 'server' ? 'failed' : 'cancelled', releasedBy: by });
    };
    if (signal.aborted || !host.live) {
      release('other-party');
      return TERMINATED;
    }
    onCancelled(() => release('other-party'));
    host.suspend();
    let failed: JoinFailure;
    try {
      failed = await this.#meet(partner, answer);
    } catch (error) {
      release('server');
      throw error;
    } finally {
      onCancelled(() => {});
      host.resume();
    }
    if (failed !== undefined || !host.live) {
      release('server');
      return failed ?? TERMINATED;
    }
    const { kind, to } = this.#options;
    host.replace(leaving, partner, { kind, fromLeg: leaving.legId, toLeg: leg.id, to, status: 200 });
    return TRANSFERRED;
  }

  #meet(partner: CallLeg, answer: Answer): Promise<JoinFailure> {
    const told = this.#told.get(partner.legId);
    const { sdp } = answer;
    if (sdp === undefined) return Promise.resolve({ status: 488, reason: 'Not Acceptable Here' });
    if (told !== undefined) return this.#join.withAnswer(partner, told, sdp);
    return this.#join.withOffer(partner, sdp, (passed) => answer.acknowledge(passed), undefined);
  }
}
