import type { BlobStore, Json, RecordStore, Storage, StoredRecord } from 'pbxkit/storage';
import { memoryStorage } from 'pbxkit/storage';
import { fileBlobs } from 'pbxkit/storage/file';
import { lmdb } from 'pbxkit/storage/lmdb';
import { describe, expectTypeOf, test } from 'vitest';

describe('pbxkit/storage', () => {
  test('every adapter is the same two small interfaces', () => {
    expectTypeOf(memoryStorage()).toExtend<Storage>();
    expectTypeOf(lmdb({ path: './data' })).toExtend<Storage>();
    expectTypeOf(fileBlobs({ path: './blobs' })).toExtend<BlobStore>();
    expectTypeOf<Storage['records']>().toEqualTypeOf<RecordStore>();
  });

  test('a record that is absent is undefined, not null', () => {
    expectTypeOf<RecordStore['get']>().returns.toEqualTypeOf<Promise<StoredRecord | undefined>>();
  });

  test('values are JSON', () => {
    expectTypeOf<{ a: [1, 'two', null, { b: true }] }>().toExtend<Json>();
    expectTypeOf<() => void>().not.toExtend<Json>();
    expectTypeOf<bigint>().not.toExtend<Json>();
    expectTypeOf<StoredRecord['value']>().toEqualTypeOf<Json>();
  });
});
