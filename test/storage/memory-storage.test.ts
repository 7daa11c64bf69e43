import { describe, expect, test } from 'vitest';
import { MemoryBlobs } from '../../src/storage/memory-blobs.js';
import { compareIds, MemoryRecords } from '../../src/storage/memory-records.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { blobStoreContract } from '../../src/testing/blob-store-contract.js';
import { recordStoreContract } from '../../src/testing/record-store-contract.js';
import { SettableClock } from '../../src/testing/settable-clock.js';

describe('memory records keep the contract', () => {
  for (const { name, run } of recordStoreContract((clock) => new MemoryRecords({ clock }))) test(name, run);
});

describe('memory blobs keep the contract', () => {
  for (const { name, run } of blobStoreContract(() => new MemoryBlobs())) test(name, run);
});

test('ended records are swept by later writes and later ones stay', async () => {
  const clock = new SettableClock();
  const { records } = memoryStorage({ clock });
  await records.put('c', 'short', 1, { ttlMs: 1000 });
  await records.put('c', 'long', 1, { ttlMs: 200_000 });
  clock.advance(61_000);
  await records.put('c', 'other', 1);
  expect((await records.scan('c')).map((record) => record.id)).toEqual(['long', 'other']);
  clock.advance(200_000);
  await records.put('c', 'other', 2);
  expect((await records.scan('c')).map((record) => record.id)).toEqual(['other']);
});

test('ids compare as their UTF-8 bytes do', () => {
  const samples = [
    '',
    'a',
    'ab',
    'é',
    '\uD7FF',
    '\uE000',
    '\uFFFF',
    '\u{10000}',
    '\u{10FFFF}',
    'a\u{10000}',
    'a\uFFFF',
  ];
  for (const a of samples) {
    for (const b of samples) {
      expect(Math.sign(compareIds(a, b)), `${a} ${b}`).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }
  }
});
