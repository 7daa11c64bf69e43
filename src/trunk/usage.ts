import type { Millis } from '../base/clock.js';
import type { TenantId } from '../base/tenant.js';
import type { Lease, LeaseOutcome } from '../ua/target.js';

/** Why a call cannot be taken now. `full`: as many calls as allowed; `rate`: as many in this second. */
export type FullReason = 'full' | 'rate';

export interface OutgoingLimits {
  readonly maxCalls?: number | undefined;
  readonly maxCallsPerSecond?: number | undefined;
}

/** Calls at this moment. */
export interface CallsInUse {
  readonly out: number;
  readonly in: number;
}

/** What of a line or trunk is in use. Outlives changes of its configuration: calls that are up still count. */
export class Usage {
  #out = 0;
  #in = 0;
  #lastChosen = 0;
  #putOffUntil: Millis = Number.NEGATIVE_INFINITY;
  /** When the calls of the last second began, oldest first. */
  #begun: Millis[] = [];

  get inUse(): CallsInUse {
    return { out: this.#out, in: this.#in };
  }

  /** A number that grows with each choice over all lines: the smallest was chosen longest ago. 0: never. */
  get lastChosen(): number {
    return this.#lastChosen;
  }

  /** Why no outgoing call fits now; undefined: one does. */
  fullness({ maxCalls, maxCallsPerSecond }: OutgoingLimits, now: Millis): FullReason | undefined {
    if (maxCalls !== undefined && this.#out >= maxCalls) return 'full';
    if (maxCallsPerSecond === undefined) return undefined;
    this.#begun = this.#begun.filter((at) => at > now - 1000);
    return this.#begun.length >= maxCallsPerSecond ? 'rate' : undefined;
  }

  /** Counts an outgoing call until its lease is released. `turn`: see `lastChosen`. */
  takeOut(limits: OutgoingLimits, turn: number, now: Millis): Lease {
    this.#out++;
    this.#lastChosen = turn;
    if (limits.maxCallsPerSecond !== undefined) this.#begun.push(now);
    return once(() => this.#out--);
  }

  /** Counts an incoming call until its lease is released; undefined: no more fit. */
  takeIn(max: number | undefined): Lease | undefined {
    return max !== undefined && this.#in >= max ? undefined : this.occupyIn();
  }

  /** Counts an incoming call, whatever the limit is. */
  occupyIn(): Lease {
    this.#in++;
    return once(() => this.#in--);
  }

  /** It has failed: until then the others are tried first. */
  putOff(until: Millis): void {
    this.#putOffUntil = Math.max(this.#putOffUntil, until);
  }

  isPutOff(now: Millis): boolean {
    return this.#putOffUntil > now;
  }
}

/** What is in use, by tenant and name. */
export class Usages {
  readonly #usages = new Map<string, Usage>();

  of(tenantId: TenantId, name: string): Usage {
    const key = `${name} ${tenantId}`;
    const known = this.#usages.get(key);
    if (known !== undefined) return known;
    const usage = new Usage();
    this.#usages.set(key, usage);
    return usage;
  }

  /** The line is gone. While calls are up by it they go on counting, for it may come back. */
  forget(tenantId: TenantId, name: string): void {
    const key = `${name} ${tenantId}`;
    const { out = 0, in: incoming = 0 } = this.#usages.get(key)?.inUse ?? {};
    if (out + incoming === 0) this.#usages.delete(key);
  }
}

/** A lease that counts down once, however often it is released. */
function once(giveBack: () => void): Lease {
  let isHeld = true;
  return {
    release(_outcome: LeaseOutcome): void {
      if (!isHeld) return;
      isHeld = false;
      giveBack();
    },
  };
}
