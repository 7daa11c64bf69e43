import type { Clock } from '../base/clock.js';
import { errorText, PbxkitError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import { isConflict } from '../storage/errors.js';
import type { RecordStore, StoredRecord } from '../storage/record-store.js';
import {
  type Binding,
  type BindingChange,
  bindingsOfRecord,
  ownBindingsOfRecord,
  recordOfBindings,
} from './binding.js';
import { BindingTable } from './binding-table.js';
import { Turns } from './turns.js';

/** What becomes of the live bindings. `refused` leaves them as they are. */
export type Update =
  | { readonly kind: 'applied'; readonly bindings: readonly Binding[]; readonly changes: readonly BindingChange[] }
  | { readonly kind: 'refused' };

export interface BindingServiceOptions {
  readonly records: RecordStore;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told after the change is in the store, on the node that made it. */
  readonly onChange: (tenantId: TenantId, change: BindingChange) => void;
}

const PAGE = 1_000;
/** Another node changes the same address-of-record so often only when something is wrong. */
const MOST_CONFLICTS = 8;
/** When the store fails while ended bindings are removed, it is tried again. They are not given out meanwhile. */
const RETRY_MS = 10_000;
/** An empty record stays this long, so that nodes that watch learn of it in the order of versions. */
const EMPTY_TTL_MS = 60_000;

/**
 * The bindings of all tenants: one record per address-of-record in `${tenantId}/bindings`, changed by compare-and-set, so
 * that nodes that share a store do not lose each other's.
 */
export class BindingService {
  readonly #options: BindingServiceOptions;
  readonly #table: BindingTable;
  readonly #loaded = new Map<TenantId, Promise<void>>();
  /** Those of `#loaded` that have been read. */
  readonly #ready = new Set<TenantId>();
  readonly #collections = new Map<TenantId, string>();
  readonly #turns = new Turns();
  readonly #unwatch: (() => void)[] = [];
  readonly #retries = new Set<Cancel>();
  /** What `#write` has just handed to the store, while a store in memory takes it in. */
  #writing: { readonly tenantId: TenantId; readonly user: string } | undefined;
  #closed = false;

  constructor(options: BindingServiceOptions) {
    this.#options = options;
    const { scheduler, clock } = options;
    this.#table = new BindingTable({ scheduler, clock, onDue: (tenantId, user) => this.#expire(tenantId, user) });
  }

  /** How many bindings this process holds in memory. */
  get size(): number {
    return this.#table.size;
  }

  /** How many bindings of that tenant are known here. */
  sizeOf(tenantId: TenantId): number {
    return this.#table.sizeOf(tenantId);
  }

  /** Reads a tenant's bindings once and follows their changes from then on. @throws what the store throws */
  load(tenantId: TenantId): Promise<void> {
    const known = this.#loaded.get(tenantId);
    if (known !== undefined) return known;
    const loading = this.#load(tenantId).catch((error: unknown) => {
      this.#loaded.delete(tenantId);
      throw error;
    });
    this.#loaded.set(tenantId, loading);
    return loading;
  }

  /**
   * The live bindings of `user`. Read from the store each time: for a call that is nothing (lmdb: some ten
   * microseconds), and it is right even where another process writes; when the store fails, what was known last.
   */
  async find(tenantId: TenantId, user: string): Promise<readonly Binding[]> {
    try {
      if (!this.#ready.has(tenantId)) await this.load(tenantId);
      const record = await this.#options.records.get(this.#collectionOf(tenantId), user);
      return this.#take(tenantId, user, record) === 0 ? [] : this.#table.live(tenantId, user);
    } catch (error) {
      this.#options.logger.warn({ err: error, tenantId }, `bindings are served from memory: ${errorText(error)}`);
      return this.#table.live(tenantId, user);
    }
  }

  /** Runs `task` after everything that was posted earlier for this address-of-record (RFC 3261 §10.3: in the order received). */
  inOrder<T>(tenantId: TenantId, user: string, task: () => Promise<T>): Promise<T> {
    return this.#turns.run(`${tenantId}\0${user}`, task);
  }

  /**
   * Changes the bindings of `user`, whole or not at all. `update` may run several times, when another node was quicker.
   * Call it inside `inOrder`. Resolves to what the last `update` returned. @throws what the store throws; nothing is changed then
   */
  async change<Result extends Update>(
    tenantId: TenantId,
    user: string,
    update: (live: readonly Binding[]) => Result,
  ): Promise<Result> {
    if (!this.#ready.has(tenantId)) await this.load(tenantId);
    for (let tries = 0; tries < MOST_CONFLICTS; tries++) {
      const record = await this.#options.records.get(this.#collectionOf(tenantId), user);
      const version = this.#take(tenantId, user, record);
      const ended = version === 0 ? [] : this.#table.ended(tenantId, user);
      const result = update(version === 0 ? [] : this.#table.live(tenantId, user));
      if (result.kind === 'refused' || (result.changes.length === 0 && ended.length === 0)) return result;
      try {
        const written = await this.#write(tenantId, user, version, result.bindings);
        this.#table.accept(tenantId, user, written, result.bindings);
      } catch (error) {
        if (isConflict(error)) continue;
        throw error;
      }
      for (const binding of ended) this.#options.onChange(tenantId, { type: 'removed', binding, reason: 'expired' });
      for (const change of result.changes) this.#options.onChange(tenantId, change);
      return result;
    }
    throw new PbxkitError(
      'STORAGE_CONFLICT',
      'storage',
      `the bindings of ${user} were changed elsewhere ${MOST_CONFLICTS} times in a row`,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const undo of [...this.#unwatch.splice(0), ...this.#retries]) undo();
    this.#retries.clear();
    await this.#turns.idle();
    this.#table.close();
  }

  async #load(tenantId: TenantId): Promise<void> {
    const { records } = this.#options;
    const collection = this.#collectionOf(tenantId);
    const unwatch = records.watch(collection, '', (change) => {
      const { type, id, version } = change;
      if (this.#table.versionOf(tenantId, id) >= version) return;
      const own = this.#writing?.tenantId === tenantId && this.#writing.user === id;
      const read = own ? ownBindingsOfRecord : bindingsOfRecord;
      this.#table.accept(tenantId, id, version, type === 'put' ? read(change.record.value) : []);
    });
    try {
      for (let after: string | undefined; ; ) {
        const page = await records.scan(collection, { limit: PAGE, ...(after !== undefined && { after }) });
        for (const { id, version, value } of page) this.#table.accept(tenantId, id, version, bindingsOfRecord(value));
        if (page.length < PAGE) break;
        after = page.at(-1)?.id;
      }
    } catch (error) {
      unwatch();
      throw error;
    }
    this.#ready.add(tenantId);
    if (this.#closed) unwatch();
    else this.#unwatch.push(unwatch);
  }

  /** Brings the table up to date. Returns the record's version, 0 when there is none. */
  #take(tenantId: TenantId, user: string, record: StoredRecord | undefined): number {
    if (record === undefined) return 0;
    const { version } = record;
    if (this.#table.versionOf(tenantId, user) < version)
      this.#table.accept(tenantId, user, version, bindingsOfRecord(record.value));
    return version;
  }

  #write(tenantId: TenantId, user: string, version: number, bindings: readonly Binding[]): Promise<number> {
    const { records } = this.#options;
    const options = bindings.length > 0 ? { ifVersion: version } : { ifVersion: version, ttlMs: EMPTY_TTL_MS };
    this.#writing = { tenantId, user };
    try {
      return records.put(this.#collectionOf(tenantId), user, recordOfBindings(bindings), options);
    } finally {
      this.#writing = undefined;
    }
  }

  /** One text for each tenant: a store finds by a text that it has seen before at once. */
  #collectionOf(tenantId: TenantId): string {
    const known = this.#collections.get(tenantId);
    if (known !== undefined) return known;
    const name = `${tenantId}/bindings`;
    this.#collections.set(tenantId, name);
    return name;
  }

  #expire(tenantId: TenantId, user: string): void {
    if (this.#closed) return;
    const { logger, scheduler } = this.#options;
    const sweep = (): Promise<unknown> =>
      this.change(tenantId, user, (live) => ({ kind: 'applied', bindings: live, changes: [] }));
    this.inOrder(tenantId, user, sweep).catch((error: unknown) => {
      if (this.#closed) return;
      logger.warn({ err: error, tenantId }, `ended bindings stay in the store for now: ${errorText(error)}`);
      const cancel = scheduler.after(RETRY_MS, () => {
        this.#retries.delete(cancel);
        this.#expire(tenantId, user);
      });
      this.#retries.add(cancel);
    });
  }
}
