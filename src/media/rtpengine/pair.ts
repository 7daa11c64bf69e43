import type { Millis } from '../../base/clock.js';
import { Mailbox } from '../../base/mailbox.js';
import type { TenantId } from '../../base/tenant.js';
import type { Sdp } from '../../protocol/sdp/lines.js';
import type { MediaTimeouts } from '../media-trouble.js';
import type { Bencoded } from './bencode.js';
import type { Instance } from './instances.js';
import { PairCounts } from './pair-counts.js';
import { PairWatch } from './pair-watch.js';
import { SourceGuard } from './source-guard.js';

/** Which pair of legs of which call. */
export interface PairName {
  readonly tenantId: TenantId;
  readonly callId: string;
  /** In a fixed order, whoever offers. */
  readonly legs: readonly [string, string];
}

/** The name of a pair, whichever of its legs speaks. */
export function pairName(tenantId: TenantId, callId: string, a: string, b: string): PairName {
  return { tenantId, callId, legs: a < b ? [a, b] : [b, a] };
}

/**
 * The call-id under which rtpengine knows a pair. It follows from the names alone, so that after a restart of this process the
 * next offer finds what rtpengine still has; written so that no two pairs share one.
 */
export function engineCallId({ tenantId, callId, legs }: PairName): string {
  return JSON.stringify(['pbxkit', tenantId, callId, ...legs]);
}

/** An offer or answer as an instance is asked, but for what depends on how it learns sources. */
export interface PairRequest {
  /** The leg whose description it is. */
  readonly describes: string;
  readonly sdp: Sdp;
  readonly fromAddress: string | undefined;
  readonly fields: Readonly<Record<string, Bencoded>>;
}

/** Two legs that have exchanged descriptions: a call of its own for rtpengine. */
export class Pair {
  readonly name: PairName;
  readonly engineCallId: string;
  /** One command at a time, so that a deletion overtakes no offer. */
  readonly mailbox = new Mailbox();
  readonly counts = new PairCounts();
  readonly watch: PairWatch;
  readonly guard: SourceGuard;
  /** What was passed on last; no answer while one is waited for. */
  offered: PairRequest | undefined;
  answered: PairRequest | undefined;
  /** Until then its counters are read more often. */
  youngUntil: Millis = 0;
  /** Which one has it; undefined before the first offer is accepted. */
  #instance: Instance | undefined;

  constructor(name: PairName, timeouts: MediaTimeouts, learnElsewhere: boolean, now: Millis) {
    this.name = name;
    this.engineCallId = engineCallId(name);
    this.watch = new PairWatch(timeouts, now);
    this.guard = new SourceGuard(learnElsewhere);
  }

  get instance(): Instance | undefined {
    return this.#instance;
  }

  /** From now on `instance` has it, with counters of its own. */
  moveTo(instance: Instance): void {
    if (this.#instance !== undefined && this.#instance !== instance) this.counts.beginAgain();
    this.#instance = instance;
  }

  has(legId: string): boolean {
    return this.name.legs.includes(legId);
  }
}
