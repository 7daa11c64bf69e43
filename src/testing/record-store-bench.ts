import assert from 'node:assert/strict';
import type { RecordStore } from '../storage/record-store.js';

/** What a case of the record store contract works with. */
export interface Bench {
  readonly store: RecordStore;
  elapse(ms: number): Promise<void>;
}

/** The collection of most cases. */
export const C = 'tenant/things';

/** A case before it is given its store. */
export type RecordStoreCase = readonly [name: string, test: (bench: Bench) => Promise<void>];

/** The ids of a collection, in order. */
export async function ids(store: RecordStore, collection: string): Promise<string[]> {
  return (await store.scan(collection)).map((record) => record.id);
}

/** Asserts STORAGE_CONFLICT. */
export async function conflict(attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, { code: 'STORAGE_CONFLICT' });
}

/** Asserts PBX_INVALID_ARGUMENT. */
export async function invalid(attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, { code: 'PBX_INVALID_ARGUMENT' });
}
