import { type Clock, type EpochMillis, systemClock } from '../base/clock.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { checkOperations, planOperations } from './apply-operations.js';
import { closedError } from './errors.js';
import type { Json } from './json.js';
import {
  checkCollection,
  checkKey,
  checkScan,
  DEFAULT_SCAN_LIMIT,
  type DeleteOptions,
  type Durability,
  type PutOptions,
  type RecordChange,
  type RecordOperation,
  type RecordStore,
  type ScanOptions,
  type StoredRecord,
} from './record-store.js';
import { Watchers } from './watchers.js';

/** Expired records are swept at most this often, by writes. */
const SWEEP_EVERY_MS = 60_000;

/** Records in this process's memory: for tests, and for a PBX whose state may end with it. */
export class MemoryRecords implements RecordStore {
  readonly durability: Durability = Object.freeze({
    killed: 'lost',
    powerCut: 'lost',
    text: 'kept in memory only: everything is lost when the process ends',
  });
  readonly #collections = new Map<string, Map<string, StoredRecord>>();
  readonly #clock: Clock;
  readonly #watchers: Watchers;
  #lastVersion = 0;
  #nextSweep: EpochMillis = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: { readonly clock?: Clock; readonly logger?: Logger } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#watchers = new Watchers(options.logger ?? silentLogger);
  }

  async get(collection: string, id: string): Promise<StoredRecord | undefined> {
    this.#checkOpen();
    checkKey(collection, id);
    return this.#read(collection, id, this.#clock.wallTime());
  }

  async put(collection: string, id: string, value: Json, options: PutOptions = {}): Promise<number> {
    const [change] = this.#apply([{ type: 'put', collection, id, value, ...options }]);
    return (change as RecordChange).version;
  }

  async delete(collection: string, id: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#apply([{ type: 'delete', collection, id, ...options }]).length > 0;
  }

  async scan(collection: string, options: ScanOptions = {}): Promise<readonly StoredRecord[]> {
    this.#checkOpen();
    checkScan(collection, options);
    const { prefix = '', after, limit = DEFAULT_SCAN_LIMIT } = options;
    const now = this.#clock.wallTime();
    const found: StoredRecord[] = [];
    for (const record of this.#collections.get(collection)?.values() ?? []) {
      if (!record.id.startsWith(prefix) || expired(record, now)) continue;
      if (after === undefined || compareIds(record.id, after) > 0) found.push(record);
    }
    return found.sort((a, b) => compareIds(a.id, b.id)).slice(0, limit);
  }

  async batch(operations: readonly RecordOperation[]): Promise<void> {
    this.#apply(operations);
  }

  watch(collection: string, prefix: string, listener: (change: RecordChange) => void): () => void {
    this.#checkOpen();
    checkCollection(collection);
    return this.#watchers.add(collection, prefix, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#collections.clear();
    this.#watchers.clear();
  }

  #apply(operations: readonly RecordOperation[]): readonly RecordChange[] {
    this.#checkOpen();
    const checked = checkOperations(operations);
    const now = this.#clock.wallTime();
    const reader = {
      read: (collection: string, id: string) => this.#read(collection, id, now),
      lastVersion: this.#lastVersion,
    };
    const changes = planOperations(checked, reader, now);
    for (const change of changes) this.#commit(change);
    this.#sweep(now);
    this.#watchers.tell(changes);
    return changes;
  }

  #commit(change: RecordChange): void {
    this.#lastVersion = change.version;
    const { collection, id } = change;
    const records = this.#collections.get(collection) ?? new Map<string, StoredRecord>();
    if (change.type === 'put') {
      this.#collections.set(collection, records);
      records.set(id, change.record);
      if (change.record.expiresAt !== undefined && this.#nextSweep === Number.POSITIVE_INFINITY) {
        this.#nextSweep = this.#clock.wallTime() + SWEEP_EVERY_MS;
      }
    } else {
      records.delete(id);
      if (records.size === 0) this.#collections.delete(collection);
    }
  }

  #sweep(now: EpochMillis): void {
    if (now < this.#nextSweep) return;
    let mortal = 0;
    for (const [name, records] of this.#collections) {
      for (const [id, record] of records) {
        if (expired(record, now)) records.delete(id);
        else if (record.expiresAt !== undefined) mortal++;
      }
      if (records.size === 0) this.#collections.delete(name);
    }
    this.#nextSweep = mortal > 0 ? now + SWEEP_EVERY_MS : Number.POSITIVE_INFINITY;
  }

  #read(collection: string, id: string, now: EpochMillis): StoredRecord | undefined {
    const record = this.#collections.get(collection)?.get(id);
    return record === undefined || expired(record, now) ? undefined : record;
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError('the memory store');
  }
}

function expired(record: StoredRecord, now: EpochMillis): boolean {
  return record.expiresAt !== undefined && record.expiresAt <= now;
}

/** By UTF-8 bytes, which is the order of code points: JavaScript's own order differs above U+FFFF. */
export function compareIds(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, so they rank after U+E000–U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
