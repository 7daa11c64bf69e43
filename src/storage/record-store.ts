import type { EpochMillis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import type { Json } from './json.js';

/** A record as it stands in a store. */
export interface StoredRecord {
  readonly id: string;
  readonly value: Json;
  /** Whole number > 0. Grows with every change of the record, also across deletion and re-creation, so that it never names two values. */
  readonly version: number;
  /** When the record ends by itself; absent: never. */
  readonly expiresAt?: EpochMillis;
}

export interface PutOptions {
  /** Write only if the record is at this version; 0: only if it does not exist. Absent: write in any case. */
  readonly ifVersion?: number;
  /** How long the record lives, in milliseconds of wall time (> 0). Absent: for ever; an earlier limit is lifted. */
  readonly ttlMs?: number;
}

export interface DeleteOptions {
  readonly ifVersion?: number;
}

export interface ScanOptions {
  /** Only ids that begin with this. */
  readonly prefix?: string;
  /** At most so many (> 0, default 1,000). For the next page pass the last id as `after`. */
  readonly limit?: number;
  /** Only ids that come after this one. */
  readonly after?: string;
}

/** One step of a batch. `check` writes nothing: it makes the whole batch depend on a record's version. */
export type RecordOperation =
  | ({ readonly type: 'put'; readonly collection: string; readonly id: string; readonly value: Json } & PutOptions)
  | ({ readonly type: 'delete'; readonly collection: string; readonly id: string } & DeleteOptions)
  | { readonly type: 'check'; readonly collection: string; readonly id: string; readonly ifVersion: number };

/** What a watcher is told. Changes of one record come in the order of their versions. */
export type RecordChange =
  | {
      readonly type: 'put';
      readonly collection: string;
      readonly id: string;
      readonly version: number;
      readonly record: StoredRecord;
    }
  | { readonly type: 'delete'; readonly collection: string; readonly id: string; readonly version: number };

/** What a resolved write survives. */
export interface Durability {
  /** The process is killed (kill -9, out of memory). */
  readonly killed: 'kept' | 'lost';
  /** The machine loses power or its kernel dies. `last-moments-lost`: consistent, but the last writes may be missing. */
  readonly powerCut: 'kept' | 'last-moments-lost' | 'lost';
  /** The same in words, with its conditions. */
  readonly text: string;
}

/**
 * JSON records by collection and id, with compare-and-set. Collections are prefixed with the tenant by the caller
 * (`${tenantId}/bindings`). A store opens itself on first use. Every method rejects with STORAGE_CLOSED once closed,
 * with STORAGE_FAILED when the disk or server fails, and with PBX_INVALID_ARGUMENT for a key or value that it cannot hold.
 */
export interface RecordStore {
  get(collection: string, id: string): Promise<StoredRecord | undefined>;
  /** Resolves to the new version once the write is as durable as `durability` says. @throws VersionConflictError if `ifVersion` is stale. */
  put(collection: string, id: string, value: Json, options?: PutOptions): Promise<number>;
  /** Whether there was something to delete. @throws VersionConflictError if `ifVersion` is stale. */
  delete(collection: string, id: string, options?: DeleteOptions): Promise<boolean>;
  /** Records in the order of their ids' UTF-8 bytes. */
  scan(collection: string, options?: ScanOptions): Promise<readonly StoredRecord[]>;
  /** All operations or none, in order. Conditions see the effect of earlier operations. @throws VersionConflictError for the first condition that fails. */
  batch(operations: readonly RecordOperation[]): Promise<void>;
  /**
   * Tells of changes to ids that begin with `prefix`, from now on, after they are committed. The end of a record by
   * its ttl is not told. A listener that throws harms neither the store nor other listeners.
   */
  watch(collection: string, prefix: string, listener: (change: RecordChange) => void): () => void;
  /** Waits for running writes. Closing again does nothing. */
  close(): Promise<void>;
  readonly durability: Durability;
}

/** The default of `ScanOptions.limit`. */
export const DEFAULT_SCAN_LIMIT = 1_000;

const LONGEST_COLLECTION = 256;
const LONGEST_ID = 1_024;

/** @throws UsageError unless every adapter can hold this key: 1–256 bytes of collection, 1–1,024 bytes of id, valid Unicode, no NUL in the collection. */
export function checkKey(collection: string, id: string): void {
  checkCollection(collection);
  checkText('record id', id, LONGEST_ID);
  if (id === '')
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `record id in ${collection}: found "", expected 1–${LONGEST_ID} bytes`,
    );
}

/** @throws UsageError, see `checkKey`. */
export function checkCollection(collection: string): void {
  checkText('collection', collection, LONGEST_COLLECTION);
  if (collection === '' || collection.includes('\0')) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `collection: found ${JSON.stringify(collection)}, expected 1–${LONGEST_COLLECTION} bytes without NUL`,
    );
  }
}

/** A prefix or a page mark: like an id, but it may be empty. @throws UsageError */
export function checkScan(collection: string, options: ScanOptions): void {
  checkCollection(collection);
  if (options.prefix !== undefined) checkText('scan prefix', options.prefix, LONGEST_ID);
  if (options.after !== undefined) checkText('scan after', options.after, LONGEST_ID);
  const { limit } = options;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `scan limit: found ${limit}, expected a whole number above 0`);
  }
}

/** @throws UsageError for a version or ttl out of range. */
export function checkPutOptions(options: PutOptions): void {
  const { ifVersion, ttlMs } = options;
  if (ifVersion !== undefined && !(Number.isSafeInteger(ifVersion) && ifVersion >= 0)) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `ifVersion: found ${ifVersion}, expected a version, or 0 for "must not exist"`,
    );
  }
  if (ttlMs !== undefined && !(Number.isFinite(ttlMs) && ttlMs > 0)) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `ttlMs: found ${ttlMs}, expected milliseconds above 0`);
  }
}

function checkText(what: string, text: unknown, longest: number): void {
  if (typeof text !== 'string')
    throw new UsageError('PBX_INVALID_ARGUMENT', `${what}: found ${typeof text}, expected text`);
  if (text.length <= longest && isAscii(text)) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > longest)
    throw new UsageError('PBX_INVALID_ARGUMENT', `${what}: found ${bytes} bytes, expected at most ${longest}`);
  if (/\p{Surrogate}/u.test(text)) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `${what}: found half of a surrogate pair, expected valid Unicode`);
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
