import type { Millis } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Lease, Target } from '../ua/target.js';
import type { TrunkCallConfig } from './call-options.js';
import type { FullReason, Usage } from './usage.js';

/** Which of several: in turn (the one that was chosen longest ago), the lowest `priority`, the one with the fewest calls, or by chance with the `weight`s. */
export type SelectionStrategy = 'round-robin' | 'priority' | 'least-used' | 'weighted';

/** Why a line or trunk was passed over. */
export type SkipReason =
  /** No line or trunk of the tenant has this name. */
  | 'unknown'
  /** A line without registration, a trunk that does not answer. */
  | 'down'
  | 'suspended'
  | 'not-owner'
  | 'out-of-hours'
  | FullReason
  /** It has been chosen for this call before, and failed. */
  | 'failed'
  /** The call came in by it. */
  | 'came-by-it';

/** Where a call goes next. */
export interface Selected {
  readonly kind: 'line' | 'trunk';
  readonly name: string;
  /** With a lease that counts the call: to be released once, whatever becomes of it. */
  readonly target: Target;
  /** The number in its Request-URI. */
  readonly called: string;
  /** The outgoing group that it belongs to. */
  readonly group?: string;
  /** How long to let it ring; absent: as the PBX does. */
  readonly noAnswerSeconds?: number;
}

/** How an attempt ended. */
export type AttemptFailure =
  /** `local`: nothing was sent, the call does not suit this one; another may do, and this one is as good as before. */
  | { readonly kind: 'timeout' | 'unreachable' | 'local'; readonly rang?: boolean }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly retryAfterSeconds?: number;
      /** Whether the far end has rung: the caller must not hear a second ring. */
      readonly rang?: boolean;
    };

/** A line or trunk as the selection sees it at this moment. */
export interface Candidate {
  readonly name: string;
  readonly calls: TrunkCallConfig;
  readonly usage: Usage;
  /** Why it cannot be chosen, whoever calls; undefined: it can. */
  readonly blocked: SkipReason | undefined;
  select(lease: Lease): Selected;
}

/** In the order of the configuration; a name alone is that of nobody. */
export type SelectionCandidates = readonly (Candidate | { readonly name: string; readonly calls?: undefined })[];

export interface SelectionOptions {
  /** As they stand now. */
  readonly candidates: () => SelectionCandidates;
  readonly strategy: SelectionStrategy;
  /** The extension that calls; undefined: nobody's, so that lines with an owner are passed over. */
  readonly caller: string | undefined;
  /** The line or trunk that the call came in by. */
  readonly cameBy: string | undefined;
  readonly random: Random;
  readonly now: () => Millis;
  /** Takes the next number of the turn, see `Usage.lastChosen`. */
  readonly nextTurn: () => number;
}

/** How long one that did not answer is tried after the others. */
const PUT_OFF_MS = 30_000;
/** No 503 puts a trunk off for longer: it is one word of one server. */
const MOST_PUT_OFF_MS = 300_000;

/**
 * Whether another line may be tried: after silence, where it could not be sent, after 5xx and 408, and where our credentials were not
 * taken, as long as nothing has rung. Every other answer is the user's or the carrier's last word: 603, 486, 480, 404.
 */
export function failsOver(failure: AttemptFailure): boolean {
  if (failure.rang === true) return false;
  if (failure.kind !== 'response') return true;
  const { status } = failure;
  return status === 408 || status === 401 || status === 407 || (status >= 500 && status < 600);
}

/** The choice for one call: `next()` is the first, `next(failure)` the one after a failure. No line is chosen twice. */
export interface Selection {
  /** What the last `next` has passed over, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: SkipReason }[];
  /**
   * Undefined: there is none, or after this failure none may be tried (see `failsOver`). What is returned counts as in use until its
   * lease is released.
   */
  next(failure?: AttemptFailure): Selected | undefined;
}

/** Chooses among candidates as they stand at the moment of each `next`. */
export class CandidateSelection implements Selection {
  readonly #options: SelectionOptions;
  readonly #tried = new Set<string>();
  #last: Usage | undefined;
  #skipped: Selection['skipped'] = [];

  constructor(options: SelectionOptions) {
    this.#options = options;
  }

  get skipped(): Selection['skipped'] {
    return this.#skipped;
  }

  next(failure?: AttemptFailure): Selected | undefined {
    this.#skipped = [];
    const { now, nextTurn } = this.#options;
    if (failure !== undefined) {
      if (!failsOver(failure)) return undefined;
      if (failure.kind !== 'local') this.#last?.putOff(now() + putOffMs(failure));
    }
    const chosen = this.#choose(this.#free());
    if (chosen === undefined) return undefined;
    this.#tried.add(chosen.name);
    this.#last = chosen.usage;
    return chosen.select(chosen.usage.takeOut(chosen.calls, nextTurn(), now()));
  }

  #free(): readonly Candidate[] {
    const { candidates, now } = this.#options;
    const skipped: { name: string; reason: SkipReason }[] = [];
    const free: Candidate[] = [];
    for (const candidate of candidates()) {
      const reason = candidate.calls === undefined ? 'unknown' : this.#reasonAgainst(candidate);
      if (reason !== undefined) skipped.push({ name: candidate.name, reason });
      else if (candidate.calls !== undefined) free.push(candidate);
    }
    this.#skipped = skipped;
    const sound = free.filter(({ usage }) => !usage.isPutOff(now()));
    return sound.length > 0 ? sound : free;
  }

  #reasonAgainst(candidate: Candidate): SkipReason | undefined {
    if (this.#tried.has(candidate.name)) return 'failed';
    if (candidate.name === this.#options.cameBy) return 'came-by-it';
    if (candidate.blocked !== undefined) return candidate.blocked;
    const { calls, usage } = candidate;
    if (calls.owner !== undefined && calls.owner !== this.#options.caller) return 'not-owner';
    return usage.fullness(calls, this.#options.now());
  }

  #choose(free: readonly Candidate[]): Candidate | undefined {
    switch (this.#options.strategy) {
      case 'weighted':
        return this.#drawn(free);
      case 'priority':
        return least(free, ({ calls }) => calls.priority);
      case 'least-used':
        return least(free, ({ usage }) => usage.inUse.out);
      default:
        return least(free, () => 0);
    }
  }

  #drawn(free: readonly Candidate[]): Candidate | undefined {
    const total = free.reduce((sum, { calls }) => sum + calls.weight, 0);
    if (total === 0) return undefined;
    let drawn = this.#options.random.integer(total);
    for (const candidate of free) {
      drawn -= candidate.calls.weight;
      if (drawn < 0) return candidate;
    }
    return undefined;
  }
}

/** The one with the least of something; of equals the one that was chosen longest ago, then the first. */
function least(free: readonly Candidate[], of: (candidate: Candidate) => number): Candidate | undefined {
  return free.reduce<Candidate | undefined>((best, each) => {
    if (best === undefined) return each;
    const difference = of(each) - of(best) || each.usage.lastChosen - best.usage.lastChosen;
    return difference < 0 ? each : best;
  }, undefined);
}

function putOffMs(failure: AttemptFailure): number {
  const asked = failure.kind === 'response' ? failure.retryAfterSeconds : undefined;
  return asked === undefined ? PUT_OFF_MS : Math.min(asked * 1000, MOST_PUT_OFF_MS);
}
