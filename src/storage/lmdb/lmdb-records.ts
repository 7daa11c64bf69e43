import { type Clock, type EpochMillis, systemClock } from '../../base/clock.js';
import { type Logger, silentLogger } from '../../base/logger.js';
import { checkOperations, planOperations } from '../apply-operations.js';
import { closedError, storageFailure } from '../errors.js';
import { frozenJson, type Json } from '../json.js';
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
} from '../record-store.js';
import { Watchers } from '../watchers.js';
import { commitFailure, type LmdbDatabase } from './driver.js';
import { dueRange, dueRecordKey, expiryKey, idOfKey, recordKey, recordRange, VERSION_KEY } from './keys.js';
import { openDatabase } from './open-database.js';

/** As it stands on disk: value (as JSON text), version, end. */
interface Row {
  readonly v: string;
  readonly n: number;
  readonly e?: EpochMillis;
}

export interface LmdbRecordsOptions {
  /** The database file; its directory is made when it is missing, and `…-lock` lies beside it. */
  readonly path: string;
  /** For expiry; default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Each write removes at most so many records that have ended, so that the file does not grow with them. */
const SWEEP = 16;

/**
 * Records in one LMDB file. A write resolves after LMDB has committed it with fdatasync; writes that wait together share
 * one commit. Reads are synchronous inside: some ten microseconds with the parsing of the value.
 *
 * Two processes may open one file: reads, compare-and-set and batches stay correct across both, because LMDB has one
 * writer at a time. `watch` tells only of this process's own writes: where nodes must hear of one another, use a server store.
 */
export class LmdbRecords implements RecordStore {
  readonly durability: Durability = Object.freeze({
    killed: 'kept',
    powerCut: 'kept',
    text:
      'put, delete and batch resolve after LMDB has committed and flushed them with fdatasync, so what has resolved survives ' +
      'kill -9, and a power cut as far as the disk honours the flush; what had not resolved is there whole or not at all',
  });
  readonly #path: string;
  readonly #clock: Clock;
  readonly #watchers: Watchers;
  #opened: Promise<LmdbDatabase> | undefined;
  #database: LmdbDatabase | undefined;
  #writing = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(options: LmdbRecordsOptions) {
    this.#path = options.path;
    this.#clock = options.clock ?? systemClock;
    this.#watchers = new Watchers(options.logger ?? silentLogger);
  }

  /** @throws StorageError; UsageError PBX_MISSING_PACKAGE */
  async open(): Promise<void> {
    await this.#open();
  }

  async get(collection: string, id: string): Promise<StoredRecord | undefined> {
    checkKey(collection, id);
    const database = this.#database ?? (await this.#open());
    this.#checkOpen();
    return this.#guard('read', () => read(database, collection, id, this.#clock.wallTime()));
  }

  async put(collection: string, id: string, value: Json, options: PutOptions = {}): Promise<number> {
    const [change] = await this.#apply([{ type: 'put', collection, id, value, ...options }]);
    return (change as RecordChange).version;
  }

  async delete(collection: string, id: string, options: DeleteOptions = {}): Promise<boolean> {
    return (await this.#apply([{ type: 'delete', collection, id, ...options }])).length > 0;
  }

  async scan(collection: string, options: ScanOptions = {}): Promise<readonly StoredRecord[]> {
    checkScan(collection, options);
    const { prefix = '', after, limit = DEFAULT_SCAN_LIMIT } = options;
    const database = this.#database ?? (await this.#open());
    this.#checkOpen();
    const now = this.#clock.wallTime();
    return this.#guard('read', () => {
      const found: StoredRecord[] = [];
      for (const { key, value } of database.getRange(recordRange(collection, prefix, after))) {
        const record = recordOf(idOfKey(key), value as Row, now);
        if (record !== undefined) found.push(record);
        if (found.length === limit) break;
      }
      return found;
    });
  }

  async batch(operations: readonly RecordOperation[]): Promise<void> {
    await this.#apply(operations);
  }

  watch(collection: string, prefix: string, listener: (change: RecordChange) => void): () => void {
    this.#checkOpen();
    checkCollection(collection);
    return this.#watchers.add(collection, prefix, listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#shut();
    return this.#closed;
  }

  async #shut(): Promise<void> {
    await Promise.allSettled(this.#writing);
    const database = await this.#opened?.catch(() => undefined);
    this.#database = undefined;
    this.#watchers.clear();
    await database?.close();
  }

  async #apply(operations: readonly RecordOperation[]): Promise<readonly RecordChange[]> {
    const checked = checkOperations(operations);
    const database = this.#database ?? (await this.#open());
    this.#checkOpen();
    const write = this.#write(database, checked);
    this.#writing.add(write);
    try {
      const changes = await write;
      this.#watchers.tell(changes);
      return changes;
    } catch (error) {
      throw storageFailure('write', this.#path, await commitFailure(error));
    } finally {
      this.#writing.delete(write);
    }
  }

  /**
   * The callback runs inside LMDB's write transaction. lmdb-js does not roll back what a throwing callback wrote, so
   * everything is planned, and every condition checked, before the first byte is written.
   */
  #write(database: LmdbDatabase, operations: readonly RecordOperation[]): Promise<readonly RecordChange[]> {
    return database.transaction(() => {
      const now = this.#clock.wallTime();
      const lastVersion = (database.get(VERSION_KEY) as number | undefined) ?? 0;
      const reader = { read: (collection: string, id: string) => read(database, collection, id, now), lastVersion };
      const changes = planOperations(operations, reader, now);
      if (changes.length === 0) return changes;
      for (const change of changes) commit(database, change);
      sweep(database, now);
      database.putSync(VERSION_KEY, lastVersion + changes.length);
      return changes;
    });
  }

  #open(): Promise<LmdbDatabase> {
    if (this.#closed !== undefined) return Promise.reject(closedError(`the store ${this.#path}`));
    this.#opened ??= openDatabase(this.#path).then(
      (database) => {
        this.#database = database;
        return database;
      },
      (error: unknown) => {
        this.#opened = undefined;
        throw error;
      },
    );
    return this.#opened;
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw closedError(`the store ${this.#path}`);
  }

  #guard<T>(action: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw storageFailure(action, this.#path, error);
    }
  }
}

function read(database: LmdbDatabase, collection: string, id: string, now: EpochMillis): StoredRecord | undefined {
  const row = database.get(recordKey(collection, id)) as Row | undefined;
  return row === undefined ? undefined : recordOf(id, row, now);
}

function recordOf(id: string, row: Row, now: EpochMillis): StoredRecord | undefined {
  if (row.e !== undefined && row.e <= now) return undefined;
  return Object.freeze({
    id,
    value: frozenJson(row.v),
    version: row.n,
    ...(row.e !== undefined && { expiresAt: row.e }),
  });
}

function commit(database: LmdbDatabase, change: RecordChange): void {
  const key = recordKey(change.collection, change.id);
  const before = database.get(key) as Row | undefined;
  if (before?.e !== undefined) database.removeSync(expiryKey(before.e, key));
  if (change.type === 'delete') {
    database.removeSync(key);
    return;
  }
  const { version, value, expiresAt } = change.record;
  const row: Row = { v: JSON.stringify(value), n: version, ...(expiresAt !== undefined && { e: expiresAt }) };
  database.putSync(key, row);
  if (expiresAt !== undefined) database.putSync(expiryKey(expiresAt, key), 1);
}

function sweep(database: LmdbDatabase, now: EpochMillis): void {
  const due = [...database.getRange({ ...dueRange(now), limit: SWEEP })];
  for (const { key } of due) {
    database.removeSync(dueRecordKey(key));
    database.removeSync(key);
  }
}
