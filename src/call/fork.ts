import type { Scheduler } from '../base/scheduler.js';
import { NO_CODEC, narrow } from '../dialog/allowed-formats.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import {
  type Answer,
  codecsOf,
  type OutgoingInvite,
  type OutgoingInviteOptions,
  type Progress,
} from '../dialog/outgoing-invite.js';
import { formatUri, type Uri } from '../protocol/sip/uri.js';
import type { Lease, Target } from '../ua/target.js';
import type { CallLog, LegEnd, LegOutcome } from './call-record.js';
import { bestOutcome, outcome, outcomeOf } from './outcome.js';
import type { RouteOutcome } from './route-outcome.js';

/** One phone that is called. */
export interface OutboundLeg {
  readonly id: string;
  readonly target: Target;
}

export interface ForkOptions {
  readonly dialogs: DialogLayer;
  readonly scheduler: Scheduler;
  readonly log: CallLog;
  readonly legs: readonly OutboundLeg[];
  readonly number: string;
  readonly noAnswerSeconds: number;
  /** The caller has given up. */
  readonly signal: AbortSignal;
  /** The INVITE for a leg, its offer included: prepared by the media engine. */
  readonly prepare: (leg: OutboundLeg) => Promise<OutgoingInviteOptions>;
  readonly onProgress: (leg: OutboundLeg, progress: Progress) => void;
  /** A leg has failed while others may still answer; `status` of its response, if there was one. */
  readonly onLegFailed?: (leg: OutboundLeg, status: number | undefined) => void;
}

export type ForkResult =
  | { readonly kind: 'answered'; readonly leg: OutboundLeg; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly outcome: RouteOutcome }
  | { readonly kind: 'abandoned' };

type LegState =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'calling'; readonly invite: OutgoingInvite }
  /** Its record has ended; the far end's channel is taken until it has answered the CANCEL. */
  | { readonly kind: 'cancelled'; readonly lease: Lease | undefined }
  | { readonly kind: 'over' };

/** A 200 for the call came from elsewhere: phones then show no missed call (RFC 3326). */
const COMPLETED_ELSEWHERE = { Reason: 'SIP;cause=200;text="Call completed elsewhere"' };

/**
 * Calls several phones at once: the first answer wins, the others are cancelled (RFC 3261 §16.7 is the model for what
 * the caller is told when none answers). A 6xx ends the whole attempt.
 */
export class Fork {
  readonly #options: ForkOptions;
  readonly #legs = new Map<OutboundLeg, LegState>();
  readonly #outcomes: RouteOutcome[] = [];
  #settled = false;
  #settle: (result: ForkResult) => void = () => {};

  constructor(options: ForkOptions) {
    this.#options = options;
    for (const leg of options.legs) this.#legs.set(leg, { kind: 'preparing' });
  }

  /** Rejects only if `prepare` does, after all legs were given up. */
  async run(): Promise<ForkResult> {
    const { signal, scheduler, noAnswerSeconds } = this.#options;
    const settled = new Promise<ForkResult>((resolve) => {
      this.#settle = (result) => {
        this.#settled = true;
        resolve(result);
      };
    });
    const onAbort = (): void => this.#giveUp('cancelled', { kind: 'abandoned' });
    const stopTimer = scheduler.after(noAnswerSeconds * 1000, () =>
      this.#giveUp('no-answer', {
        kind: 'failed',
        outcome: bestOutcome([...this.#outcomes, outcome('no-answer', 480)]),
      }),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      const started = this.#options.legs.map((leg) => this.#start(leg));
      return await Promise.race([settled, Promise.all(started).then(() => settled)]);
    } catch (error) {
      this.#giveUp('failed', { kind: 'abandoned' });
      throw error;
    } finally {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #start(leg: OutboundLeg): Promise<void> {
    const { dialogs, log, prepare, number, onProgress } = this.#options;
    const options = await prepare(leg);
    if (this.#settled || this.#legs.get(leg)?.kind !== 'preparing') return;
    const { policy, lease } = leg.target;
    const via = policy.peer === 'trunk' && policy.name !== undefined ? { via: policy.name } : {};
    const start = { id: leg.id, direction: 'outbound', number, ...via } as const;
    const uri = textOf(leg.target.uri);
    if (uri === undefined) {
      log.addLeg({ ...start, uri: '', sipCallId: '' }, lease);
      return this.#onFailed(leg, outcome('unreachable', 480), undefined);
    }
    if (options.sdp !== undefined && narrow(options.sdp, codecsOf(leg.target)).silent) {
      // RFC 3264 §5: an offer without a format is none.
      log.addLeg({ ...start, uri, sipCallId: '' }, lease);
      return this.#onFailed(leg, { ...outcome('failed', 488), reason: NO_CODEC }, 488);
    }
    const invite = dialogs.invite(options, {
      onProgress: (progress) => {
        if (progress.status === 180) log.ringing(leg.id);
        if (!this.#settled) onProgress(leg, progress);
      },
      onAnswered: (answer) => this.#onAnswered(leg, answer),
      onFailed: (failure) =>
        this.#onFailed(leg, outcomeOf(failure), failure.kind === 'response' ? failure.response.status : undefined),
    });
    log.addLeg({ ...start, uri, sipCallId: invite.callId }, lease);
    this.#legs.set(leg, { kind: 'calling', invite });
  }

  #onAnswered(leg: OutboundLeg, answer: Answer): void {
    const { log } = this.#options;
    log.answered(leg.id);
    this.#legs.set(leg, { kind: 'over' });
    this.#cancelAll('answered-elsewhere');
    this.#settle({ kind: 'answered', leg, answer });
  }

  #onFailed(leg: OutboundLeg, failed: RouteOutcome, status: number | undefined): void {
    const state = this.#legs.get(leg);
    if (state?.kind === 'cancelled') state.lease?.release('cancelled');
    if (state?.kind === 'cancelled' || state?.kind === 'over') return;
    this.#end(leg, {
      outcome: failed.kind,
      releasedBy: failed.kind === 'unreachable' ? 'network' : 'this-party',
      ...(status === undefined ? {} : { status }),
      cause: failed.reason,
    });
    this.#outcomes.push(failed);
    if (failed.status >= 600) {
      this.#giveUp('cancelled', { kind: 'failed', outcome: failed });
    } else if ([...this.#legs.values()].every(({ kind }) => kind === 'over' || kind === 'cancelled')) {
      this.#settle({ kind: 'failed', outcome: bestOutcome(this.#outcomes) });
    } else this.#options.onLegFailed?.(leg, status);
  }

  #giveUp(legOutcome: LegOutcome, result: ForkResult): void {
    if (this.#settled) return;
    this.#cancelAll(legOutcome);
    this.#settle(result);
  }

  #cancelAll(legOutcome: LegOutcome): void {
    for (const [leg, state] of this.#legs) {
      if (state.kind === 'over' || state.kind === 'cancelled') continue;
      if (state.kind === 'calling') {
        const lease = this.#options.log.takeLease(leg.id);
        state.invite.cancel(legOutcome === 'answered-elsewhere' ? COMPLETED_ELSEWHERE : undefined);
        this.#end(leg, { outcome: legOutcome, releasedBy: legOutcome === 'no-answer' ? 'server' : 'other-party' });
        this.#legs.set(leg, { kind: 'cancelled', lease });
      } else {
        this.#legs.set(leg, { kind: 'over' });
        leg.target.lease?.release('cancelled');
      }
    }
  }

  #end(leg: OutboundLeg, end: LegEnd): void {
    this.#legs.set(leg, { kind: 'over' });
    this.#options.log.endLeg(leg.id, end);
  }
}

/** The Request-URI; undefined when none can be written: what a router of the host gives has not been through the parser. */
function textOf(uri: Uri): string | undefined {
  try {
    return formatUri(uri);
  } catch {
    return undefined;
  }
}
