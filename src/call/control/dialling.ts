import type { Progress } from '../../dialog/outgoing-invite.js';
import { sipUri } from '../../protocol/sip/uri.js';
import type { CallLeg } from '../call-leg.js';
import type { OutboundLeg } from '../fork.js';
import type { ServedHost } from '../handled-call.js';
import { JoinSearch, type JoinSearchResult } from '../join-search.js';
import { outcome } from '../outcome.js';
import { sideOf } from '../party.js';
import { passInvite } from '../passing.js';
import type { Talk } from '../talk.js';
import type { DialOutcome } from './dial-outcome.js';

export interface DiallingOptions {
  readonly host: ServedHost;
  readonly caller: CallLeg;
  readonly number: string;
  readonly noAnswerSeconds?: number;
  /** Fires when the caller has gone, or the handler has lost interest. */
  readonly signal: AbortSignal;
  /** The caller is about to hear somebody else than the server. */
  readonly onHandOver: () => Promise<void>;
  /** Somebody is heard by the caller before the answer. */
  readonly earlyMedia: boolean;
}

/** How it went; `handedOver`: the caller hears nobody now, because its media has gone to somebody who did not answer. */
export type DialResult =
  | { readonly kind: 'joined'; readonly talk: Talk; readonly number: string }
  | {
      readonly kind: 'failed';
      readonly outcome: Exclude<DialOutcome, { kind: 'answered' }>;
      readonly handedOver: boolean;
    };

/** Calls somebody for a caller whom the server serves, and joins both: afterwards the media goes as between any two parties. */
export class Dialling {
  readonly #options: DiallingOptions;
  readonly #search: JoinSearch;
  #talk: Talk | undefined;
  #partner: CallLeg | undefined;
  #handedOver = false;
  /** Somebody's early media is, or will be, heard. */
  #early = false;

  constructor(options: DiallingOptions) {
    const { host, caller, number, signal, noAnswerSeconds } = options;
    const { context, invite, mailbox, media, log, callId, tenantId, maxForwards } = host;
    this.#options = options;
    this.#search = new JoinSearch({
      context: noAnswerSeconds === undefined ? context : { ...context, noAnswerSeconds },
      ...{ callId, tenantId, log, media, mailbox, maxForwards, signal },
      stays: caller,
      route: {
        called: number,
        requestUri: sipUri({ user: number, host: context.domainOf(tenantId) }),
        source: invite.source,
      },
      headers: (target) => passInvite(invite.request, sideOf(caller.party), target.policy),
      nextLegId: () => host.nextLegId(),
      onProgress: (leg, progress) => this.#onProgress(leg, progress),
      live: () => !signal.aborted && !caller.session.ended,
      onCancelled: () => {},
      suspend: () => {},
      resume: () => {},
      onJoined: (partner) => {
        this.#partner = partner;
        this.#talk = host.connect(caller, partner);
      },
      beforeJoin: () => this.#handOver(),
    });
  }

  async run(): Promise<DialResult> {
    const result = await this.#search.run();
    if (this.#talk !== undefined && this.#partner !== undefined)
      return { kind: 'joined', talk: this.#talk, number: this.#partner.party.number };
    return { kind: 'failed', outcome: failure(result), handedOver: this.#handedOver };
  }

  /** Early media: the caller is told where it comes from, as it will be told of the answer. */
  #onProgress(leg: OutboundLeg, { sdp }: Progress): void {
    const { host, earlyMedia, caller, signal } = this.#options;
    if (!earlyMedia || sdp === undefined || this.#early) return;
    this.#early = true;
    const { mailbox, context, callId } = host;
    mailbox
      .run(async () => {
        if (signal.aborted || caller.session.ended || this.#talk !== undefined) return;
        await this.#handOver();
        await this.#search.join.withEarly(leg.id, sdp);
      })
      .catch((error: unknown) => context.logger.warn({ callId, err: error }, 'early media could not be passed on'));
  }

  async #handOver(): Promise<void> {
    this.#handedOver = true;
    await this.#options.onHandOver();
  }
}

function failure(result: JoinSearchResult): Exclude<DialOutcome, { kind: 'answered' }> {
  switch (result.kind) {
    case 'not-joined':
      return { kind: 'failed', ...result.failure };
    case 'refused': {
      const { status, reason = outcome('failed', status).reason } = result.refusal;
      return { kind: failureKind(result.last?.kind, status), status, reason };
    }
    case 'handler':
      // What the server serves itself is served to callers who wait for an answer.
      return { kind: 'failed', status: 501, reason: 'Not Implemented' };
    default:
      return { kind: 'failed', status: 487, reason: 'Request Terminated' };
  }
}

function failureKind(last: string | undefined, status: number): Exclude<DialOutcome, { kind: 'answered' }>['kind'] {
  switch (last) {
    case 'busy':
    case 'no-answer':
    case 'rejected':
    case 'unreachable':
      return last;
    default:
      if (status === 486 || status === 600) return 'busy';
      if (status === 480) return 'unreachable';
      return status === 403 || status === 603 ? 'rejected' : 'failed';
  }
}
