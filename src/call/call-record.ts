import type { Clock, EpochMillis } from '../base/clock.js';
import type { TenantId } from '../base/tenant.js';
import type { Lease, LeaseOutcome } from '../ua/target.js';
import type { MediaDecision } from './media-path.js';

/** How a leg ended. */
export type LegOutcome =
  | 'answered'
  | 'busy'
  | 'no-answer'
  | 'rejected'
  | 'unreachable'
  | 'redirected'
  | 'failed'
  /** The caller gave up before an answer. */
  | 'cancelled'
  /** Another phone was quicker. */
  | 'answered-elsewhere';

/** Who ended a leg: the end on this leg, the one on the other leg, the PBX itself, or a failing network. */
export type ReleasedBy = 'this-party' | 'other-party' | 'server' | 'network';

/** One leg of a call: the PBX's dialog with one phone. Times are wall time. */
export interface LegRecord {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  /** The number at the far end of the leg. */
  readonly number: string;
  readonly displayName?: string;
  /** The Request-URI that was called, empty when none could be written; or the From of an inbound leg. */
  readonly uri: string;
  /** The Call-ID on the wire; empty when nothing was sent. */
  readonly sipCallId: string;
  /** The line or trunk by which it goes, or came. */
  readonly via?: string;
  readonly startedAt: EpochMillis;
  readonly ringingAt?: EpochMillis;
  readonly answeredAt?: EpochMillis;
  readonly endedAt?: EpochMillis;
  readonly outcome?: LegOutcome;
  readonly releasedBy?: ReleasedBy;
  /** The final status of the INVITE, where there was one. */
  readonly status?: number;
  /** Why, for people: the reason phrase, the Reason header, or what the PBX found. */
  readonly cause?: string;
}

/** A party handed its end of the call to somebody else, or tried to. */
export interface TransferRecord {
  /**
   * `blind`: to a number. `attended`: to somebody the transferor was talking to, or calling. `replaced`: somebody else took
   * the party's place. `recall`: the transfer failed when the transferor had hung up already, and it was called back.
   */
  readonly kind: 'blind' | 'attended' | 'replaced' | 'recall';
  /** The leg of the party that leaves. */
  readonly fromLeg: string;
  /** The leg that took its place; absent when the transfer failed. */
  readonly toLeg?: string;
  /** The number that the call was handed to. */
  readonly to: string;
  /** When it was settled. */
  readonly at: EpochMillis;
  /** 200 when the other two talk, else the status that the transferor was told. */
  readonly status: number;
  /** The call that the new leg came from. */
  readonly fromCall?: string;
}

/** By which path the media of a call goes from a moment on. */
export interface MediaRecord extends MediaDecision {
  readonly at: EpochMillis;
}

/** One call, with all its legs. */
export interface CallRecord {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: string;
  readonly called: string;
  readonly startedAt: EpochMillis;
  readonly answeredAt?: EpochMillis;
  readonly endedAt?: EpochMillis;
  /** From the answer to the end, 0 when nobody answered. Measured by the monotonic clock. */
  readonly talkMs: number;
  readonly legs: readonly LegRecord[];
  /** Transfers in the order in which they were settled; absent when there was none. */
  readonly transfers?: readonly TransferRecord[];
  /** By which path the media went, and why, in order; absent when all parties are set to `direct`. */
  readonly media?: readonly MediaRecord[];
  /** The call in which a leg of this one went on: it stands in that call's record only. */
  readonly continuedIn?: string;
}

/** What is known of a leg from its start. */
export type LegStart = Pick<LegRecord, 'id' | 'direction' | 'number' | 'displayName' | 'uri' | 'sipCallId' | 'via'>;

/** How a leg ends. */
export type LegEnd = Pick<LegRecord, 'outcome' | 'releasedBy' | 'status' | 'cause'>;

/** A leg that goes from one call to another. */
export interface GivenLeg {
  readonly record: LegRecord;
  readonly lease: Lease | undefined;
}

/**
 * Keeps a call's record while the call lives, and the places that its legs take on lines and trunks. Every leg is ended exactly
 * once, which gives its place back; later ends are ignored.
 */
export class CallLog {
  readonly #clock: Clock;
  readonly #legs = new Map<string, LegRecord>();
  /** Made when there is one: most calls take no place anywhere. */
  #leases: Map<string, Lease> | undefined;
  #call: Omit<CallRecord, 'legs'>;
  #answeredMonotonic: number | undefined;

  constructor(clock: Clock, call: Pick<CallRecord, 'id' | 'tenantId' | 'caller' | 'called'>) {
    this.#clock = clock;
    this.#call = { startedAt: clock.wallTime(), talkMs: 0, ...call };
  }

  /**
   * A log that goes on where `record` stopped. Of its legs only those in `living` have come along: one that still rang, for a
   * transfer, ended with the process.
   */
  static resume(clock: Clock, record: CallRecord, living: readonly string[]): CallLog {
    const log = new CallLog(clock, record);
    const { legs, ...call } = record;
    log.#call = call;
    for (const leg of legs) log.#legs.set(leg.id, leg);
    if (record.answeredAt !== undefined) {
      log.#answeredMonotonic = clock.now() - Math.max(0, clock.wallTime() - record.answeredAt);
    }
    for (const { id } of legs) {
      if (!living.includes(id))
        log.endLeg(id, { outcome: 'failed', releasedBy: 'server', cause: 'the server was restarted' });
    }
    return log;
  }

  /** A leg begins; `lease`: the place that it takes until it ends. */
  addLeg(leg: LegStart, lease?: Lease): void {
    this.#legs.set(leg.id, { startedAt: this.#clock.wallTime(), ...leg });
    this.hold(leg.id, lease);
  }

  ringing(legId: string): void {
    const leg = this.#leg(legId);
    if (leg.ringingAt === undefined) this.#legs.set(legId, { ringingAt: this.#clock.wallTime(), ...leg });
  }

  answered(legId: string): void {
    const leg = this.#leg(legId);
    if (leg.answeredAt === undefined) this.#legs.set(legId, { answeredAt: this.#clock.wallTime(), ...leg });
  }

  /** Both ends talk now. */
  callAnswered(): void {
    if (this.#call.answeredAt !== undefined) return;
    this.#answeredMonotonic = this.#clock.now();
    this.#call = { answeredAt: this.#clock.wallTime(), ...this.#call };
  }

  endLeg(legId: string, end: LegEnd): void {
    const leg = this.#leg(legId);
    if (leg.endedAt !== undefined) return;
    this.#legs.set(legId, { endedAt: this.#clock.wallTime(), ...leg, ...end });
    this.takeLease(legId)?.release(leaseOutcome(end.outcome));
  }

  /** The leg's place is given back by somebody else: the channel is taken longer than the leg is of interest. */
  takeLease(legId: string): Lease | undefined {
    const lease = this.#leases?.get(legId);
    this.#leases?.delete(legId);
    return lease;
  }

  /** A party has handed its end to somebody else, or tried to. */
  transferred(transfer: Omit<TransferRecord, 'at'>): TransferRecord {
    const settled = { ...transfer, at: this.#clock.wallTime() };
    this.#call = { ...this.#call, transfers: [...(this.#call.transfers ?? []), settled] };
    return settled;
  }

  /** It was decided how the media goes. Forked legs for which the same was found out stand there once. */
  media(decision: MediaDecision): void {
    const before = this.#call.media ?? [];
    const last = before.at(-1);
    if (last?.path === decision.path && last.reason === decision.reason) return;
    this.#call = { ...this.#call, media: [...before, { at: this.#clock.wallTime(), ...decision }] };
  }

  /** A leg leaves for another call: it stands in that one's record from now on. */
  giveLeg(legId: string, toCall: string): GivenLeg {
    const record = this.#leg(legId);
    this.#legs.delete(legId);
    this.#call = { ...this.#call, continuedIn: toCall };
    return { record, lease: this.takeLease(legId) };
  }

  /** A leg that another call gave. */
  takeLeg(legId: string, { record, lease }: GivenLeg): void {
    this.#legs.set(legId, { ...record, id: legId });
    this.hold(legId, lease);
  }

  /** A leg that is open still has been answered for a transfer, and waits to be joined: it is hung up, but its record ends here. */
  endCall(): void {
    if (this.#call.endedAt !== undefined) return;
    for (const { id, endedAt } of [...this.#legs.values()]) {
      if (endedAt === undefined) this.endLeg(id, { outcome: 'cancelled', releasedBy: 'other-party' });
    }
    const talkMs = this.#answeredMonotonic === undefined ? 0 : Math.round(this.#clock.now() - this.#answeredMonotonic);
    this.#call = { endedAt: this.#clock.wallTime(), ...this.#call, talkMs };
  }

  /** The record as it stands now. */
  get record(): CallRecord {
    return Object.assign({}, this.#call, { legs: [...this.#legs.values()] });
  }

  /** The place that a leg takes until it ends. */
  hold(legId: string, lease: Lease | undefined): void {
    if (lease === undefined) return;
    this.#leases ??= new Map();
    this.#leases.set(legId, lease);
  }

  #leg(id: string): LegRecord {
    const leg = this.#legs.get(id);
    if (leg === undefined) throw new Error(`call ${this.#call.id} has no leg ${id}`);
    return leg;
  }
}

function leaseOutcome(legOutcome: LegOutcome | undefined): LeaseOutcome {
  switch (legOutcome) {
    case 'answered':
    case 'busy':
    case 'rejected':
    case 'no-answer':
      return legOutcome;
    case 'cancelled':
    case 'answered-elsewhere':
      return 'cancelled';
    default:
      return 'failed';
  }
}
