import { untilAborted } from '../base/aborted.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import type { Answer, OutgoingInviteOptions, Progress } from '../dialog/outgoing-invite.js';
import { DEFAULT_MAX_BREADTH, splitBreadth } from '../ua/max-breadth.js';
import type { CallLog } from './call-record.js';
import { Fork, type OutboundLeg } from './fork.js';
import type { LegNumbers } from './identity.js';
import { outcome } from './outcome.js';
import type { Destination, RouteContext, Router } from './route.js';
import type { RouteOutcome } from './route-outcome.js';

type TargetsDestination = Extract<Destination, { kind: 'targets' }>;
/** Somebody who serves calls in the program itself. */
export type HandlerDestination = Extract<Destination, { kind: 'handler' }>;

/** With what a call is refused. */
export type Refusal = Omit<Extract<Destination, { kind: 'reject' }>, 'kind'>;

/** What a search needs of its surroundings; `CallContext` has it. */
interface SearchContext {
  readonly router: Router;
  readonly dialogs: DialogLayer;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly noAnswerSeconds: number;
}

export interface SearchOptions {
  readonly context: SearchContext;
  readonly log: CallLog;
  /** What the router decides by. */
  readonly route: Omit<RouteContext, 'redirections' | 'signal'>;
  /** By how many branches at once the call may be forked (RFC 5393 §5.3). Default 60. */
  readonly maxBreadth?: number;
  /** Fires when nobody waits for an answer any more. */
  readonly signal: AbortSignal;
  /** A name for the next leg: no leg of the call has it. */
  readonly nextLegId: () => string;
  /**
   * The INVITE for a leg, its offer included: prepared by the media engine. `diverted`: the numbers that sent the call on, the
   * last one first.
   */
  readonly prepare: (
    leg: OutboundLeg,
    numbers: LegNumbers,
    diverted: readonly string[],
  ) => Promise<OutgoingInviteOptions>;
  readonly onProgress: (leg: OutboundLeg, progress: Progress) => void;
  /** See `ForkOptions`. */
  readonly onLegFailed?: (leg: OutboundLeg, status: number | undefined) => void;
  /** All who were called at once have failed; others may be called next. */
  readonly onAttemptFailed?: () => void;
  /** A phone has sent the call elsewhere, and there it goes. */
  readonly onRedirected?: () => void;
}

export type SearchResult =
  | {
      readonly kind: 'answered';
      readonly leg: OutboundLeg;
      /** The number that was called. */
      readonly called: string;
      readonly answer: Answer;
    }
  | { readonly kind: 'handler'; readonly destination: HandlerDestination }
  /** `last`: how the last attempt ended, if there was one. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly last?: RouteOutcome }
  /** The signal has fired. */
  | { readonly kind: 'abandoned' };

/** Attempts of one search, redirections and second destinations together: more than anybody has lines, so something goes in a circle. */
const MAX_ATTEMPTS = 50;

/** The way of a call to somebody who answers: asks the router, tries what it says, and asks again. */
export class Search {
  readonly #options: SearchOptions;
  /** The numbers whose phones sent the call elsewhere, the last one first. */
  readonly #diverted: string[] = [];

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  /** Resolves when somebody answers or the router gives up. Rejects if the router does, or `prepare`. */
  async run(): Promise<SearchResult> {
    let last: RouteOutcome | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const destination = await this.#ask(last);
      if (destination === undefined) return { kind: 'abandoned' };
      if (destination.kind === 'reject')
        return { kind: 'refused', refusal: destination, ...(last === undefined ? {} : { last }) };
      if (last?.kind === 'redirected') this.#options.onRedirected?.();
      if (destination.kind === 'handler') return { kind: 'handler', destination };
      const result = await this.#offer(destination);
      if (result.kind !== 'failed') return result;
      last = result.outcome;
      this.#options.onAttemptFailed?.();
      if (last.kind === 'redirected') this.#diverted.unshift(destination.called);
    }
    return { kind: 'refused', refusal: { status: 482, reason: 'Too Many Attempts' } };
  }

  /** The router's word; undefined when the signal fires meanwhile. */
  async #ask(last: RouteOutcome | undefined): Promise<Destination | undefined> {
    const { context, route, signal } = this.#options;
    const asked = context.router.next({ redirections: this.#diverted.length, signal, ...route }, last);
    const destination = await untilAborted(asked, signal, (error) =>
      context.logger.debug({ callId: route.callId, err: error }, 'the router failed after the caller had gone'),
    );
    if (!signal.aborted) return destination;
    asked.then(giveBack, () => {});
    return undefined;
  }

  async #offer(
    destination: TargetsDestination,
  ): Promise<SearchResult | { readonly kind: 'failed'; readonly outcome: RouteOutcome }> {
    const { targets, called } = destination;
    if (targets.length === 0) return { kind: 'failed', outcome: outcome('unreachable', 480) };
    const {
      context,
      log,
      signal,
      nextLegId,
      prepare,
      onProgress,
      onLegFailed,
      maxBreadth = DEFAULT_MAX_BREADTH,
    } = this.#options;
    const shares = splitBreadth(maxBreadth, targets.length);
    if (shares === undefined) {
      giveBack(destination);
      return { kind: 'failed', outcome: outcome('failed', 440) };
    }
    const breadths = new Map<OutboundLeg, number>();
    const legs = targets.map((target, index) => {
      const leg = { id: nextLegId(), target };
      breadths.set(leg, shares[index] ?? 1);
      return leg;
    });
    let rang = false;
    const fork = new Fork({
      dialogs: context.dialogs,
      scheduler: context.scheduler,
      log,
      legs,
      number: called,
      noAnswerSeconds: destination.noAnswerSeconds ?? context.noAnswerSeconds,
      signal,
      prepare: async (leg) => withBreadth(await prepare(leg, destination, this.#diverted), breadths.get(leg)),
      onProgress: (leg, progress) => {
        rang ||= progress.status === 180 || progress.sdp !== undefined;
        onProgress(leg, progress);
      },
      ...(onLegFailed === undefined ? {} : { onLegFailed }),
    });
    const result = await fork.run();
    if (result.kind === 'answered') return { called, ...result };
    return rang && result.kind === 'failed' ? { kind: 'failed', outcome: { rang, ...result.outcome } } : result;
  }
}

/** Nobody will be called there: the places taken are free again. */
function giveBack(destination: Destination): void {
  if (destination.kind !== 'targets') return;
  for (const { lease } of destination.targets) lease?.release('cancelled');
}

/**
 * A call that goes in a circle among servers that fork doubles at each turn: Max-Forwards alone would end it after 2⁷⁰
 * branches. The default needs no header, because that is what a request without one counts as (RFC 5393 §5.3.3.1).
 */
function withBreadth(options: OutgoingInviteOptions, breadth: number | undefined): OutgoingInviteOptions {
  if (breadth === undefined || breadth === DEFAULT_MAX_BREADTH) return options;
  return { ...options, headers: { ...options.headers, 'Max-Breadth': breadth } };
}
