import type { Clock, EpochMillis, Millis } from '../base/clock.js';
import { DeadlineQueue } from '../base/deadline-queue.js';
import { flatText } from '../base/flat-text.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { Binding } from './binding.js';

interface Held {
  readonly binding: Binding;
  /** Monotonic: a jump of the wall clock while we run neither ends nor prolongs a registration. */
  readonly deadline: Millis;
}

interface Entry {
  readonly version: number;
  readonly held: readonly Held[];
  readonly cancel: Cancel;
}

export interface BindingTableOptions {
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** The earliest binding of this address-of-record has ended. Told once for each state that `accept` took. */
  readonly onDue: (tenantId: TenantId, user: string) => void;
}

/** A jump of the wall clock smaller than this is drift, and what is stored stays as it is. */
const TOLERATED_DRIFT_MS = 1_000;

/**
 * What is known in this process of the stored bindings, with monotonic deadlines, and one timer for the earliest of all.
 * States come in by version, in any order, from own writes, reads and the store's watch; older ones are ignored.
 */
export class BindingTable {
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<TenantId, number>();
  readonly #queue = new DeadlineQueue();
  readonly #options: BindingTableOptions;
  #disarm: Cancel = () => {};
  #armedFor: Millis = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: BindingTableOptions) {
    this.#options = options;
  }

  /** How many bindings are held, ended ones included until they are removed. */
  get size(): number {
    let size = 0;
    for (const count of this.#counts.values()) size += count;
    return size;
  }

  /** How many of them are this tenant's. */
  sizeOf(tenantId: TenantId): number {
    return this.#counts.get(tenantId) ?? 0;
  }

  /** The version of the record that is known, 0 for none: whoever has read one need not decode what is known already. */
  versionOf(tenantId: TenantId, user: string): number {
    return this.#entries.get(keyOf(tenantId, user))?.version ?? 0;
  }

  /** Takes in the state of a record unless a newer one is known. */
  accept(tenantId: TenantId, user: string, version: number, bindings: readonly Binding[]): void {
    const key = keyOf(tenantId, user);
    const before = this.#entries.get(key);
    if (this.#closed || (before !== undefined && before.version >= version)) return;
    before?.cancel();
    const { clock, scheduler, onDue } = this.#options;
    const offset = scheduler.now() - clock.wallTime();
    const held = bindings.map(
      (binding): Held => ({ binding, deadline: deadlineOf(binding, before) ?? binding.expiresAt + offset }),
    );
    const earliest = held.reduce((least, { deadline }) => Math.min(least, deadline), Number.POSITIVE_INFINITY);
    const cancel =
      earliest === Number.POSITIVE_INFINITY ? () => {} : this.#queue.add(earliest, () => onDue(tenantId, user));
    this.#entries.set(key, { version, held, cancel });
    this.#counts.set(tenantId, this.sizeOf(tenantId) + held.length - (before?.held.length ?? 0));
    this.#arm();
  }

  /** The live bindings, with `expiresAt` as it is by the wall clock of now. */
  live(tenantId: TenantId, user: string): readonly Binding[] {
    return this.#select(tenantId, user, (deadline, now) => deadline > now);
  }

  /** Those that have ended and are still in the record. */
  ended(tenantId: TenantId, user: string): readonly Binding[] {
    return this.#select(tenantId, user, (deadline, now) => deadline <= now);
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    for (const { cancel } of this.#entries.values()) cancel();
    this.#entries.clear();
    this.#counts.clear();
  }

  #select(tenantId: TenantId, user: string, wanted: (deadline: Millis, now: Millis) => boolean): readonly Binding[] {
    const entry = this.#entries.get(keyOf(tenantId, user));
    if (entry === undefined) return [];
    const now = this.#options.scheduler.now();
    const wall = this.#options.clock.wallTime();
    const found: Binding[] = [];
    for (const { binding, deadline } of entry.held)
      if (wanted(deadline, now)) found.push(asOf(binding, wall + deadline - now));
    return found;
  }

  #arm(): void {
    const next = this.#queue.next ?? Number.POSITIVE_INFINITY;
    if (next === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = next;
    this.#disarm = next === Number.POSITIVE_INFINITY ? () => {} : this.#options.scheduler.at(next, () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#options.scheduler.now();
    for (let task = this.#queue.take(now); task !== undefined; task = this.#queue.take(now)) task();
    if (!this.#closed) this.#arm();
  }
}

function keyOf(tenantId: TenantId, user: string): string {
  return flatText(`${tenantId}\0${user}`);
}

/** The deadline that the very same registration already has. */
function deadlineOf(binding: Binding, entry: Entry | undefined): Millis | undefined {
  return entry?.held.find(
    ({ binding: known }) =>
      known.contact === binding.contact &&
      known.callId === binding.callId &&
      known.cseq === binding.cseq &&
      known.refreshedAt === binding.refreshedAt,
  )?.deadline;
}

function asOf(binding: Binding, expiresAt: EpochMillis): Binding {
  return Math.abs(binding.expiresAt - expiresAt) < TOLERATED_DRIFT_MS
    ? binding
    : { ...binding, expiresAt: Math.round(expiresAt) };
}
