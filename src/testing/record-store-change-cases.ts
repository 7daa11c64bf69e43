import assert from 'node:assert/strict';
import type { Json } from '../storage/json.js';
import type { RecordChange } from '../storage/record-store.js';
import { C, conflict, ids, invalid, type RecordStoreCase } from './record-store-bench.js';

/** Expiry, batches, watching, refusals, closing. */
export const CHANGE_CASES: readonly RecordStoreCase[] = [
  [
    'ttl: the record ends by itself, everywhere',
    async ({ store, elapse }) => {
      await store.put(C, 'a', 1, { ttlMs: 500 });
      await store.put(C, 'b', 1);
      assert.notEqual((await store.get(C, 'a'))?.expiresAt, undefined);
      await elapse(600);
      assert.equal(await store.get(C, 'a'), undefined);
      assert.deepEqual(await ids(store, C), ['b']);
      assert.equal(await store.delete(C, 'a'), false);
      await store.put(C, 'a', 2, { ifVersion: 0 });
      await elapse(600);
      assert.equal((await store.get(C, 'a'))?.value, 2);
    },
  ],
  [
    'ttl: a later put without one lifts it',
    async ({ store, elapse }) => {
      await store.put(C, 'a', 1, { ttlMs: 500 });
      await store.put(C, 'a', 2);
      await elapse(600);
      await store.put(C, 'other', 0);
      assert.equal((await store.get(C, 'a'))?.value, 2);
    },
  ],
  [
    'batch writes all',
    async ({ store }) => {
      await store.put(C, 'gone', 1);
      await store.batch([
        { type: 'put', collection: C, id: 'a', value: 1, ifVersion: 0 },
        { type: 'delete', collection: C, id: 'gone' },
        { type: 'put', collection: 'other', id: 'b', value: 2 },
      ]);
      assert.deepEqual(await ids(store, C), ['a']);
      assert.equal((await store.get('other', 'b'))?.value, 2);
      await store.batch([]);
    },
  ],
  [
    'batch writes nothing when a condition fails, wherever it stands',
    async ({ store }) => {
      const version = await store.put(C, 'a', 1);
      for (const condition of [
        { type: 'check', collection: C, id: 'a', ifVersion: 0 },
        { type: 'put', collection: C, id: 'a', value: 9, ifVersion: version + 1 },
        { type: 'delete', collection: C, id: 'none', ifVersion: version },
      ] as const) {
        const write = { type: 'put', collection: C, id: 'b', value: 2 } as const;
        const wipe = { type: 'delete', collection: C, id: 'a' } as const;
        await conflict(store.batch([write, condition, wipe]));
        await conflict(store.batch([write, condition]));
        assert.deepEqual(await ids(store, C), ['a']);
        assert.equal((await store.get(C, 'a'))?.version, version);
      }
      await store.batch([
        { type: 'check', collection: C, id: 'a', ifVersion: version },
        { type: 'put', collection: C, id: 'b', value: 2 },
      ]);
      assert.equal((await store.get(C, 'b'))?.value, 2);
    },
  ],
  [
    'batch: later conditions see earlier operations',
    async ({ store }) => {
      await store.put(C, 'a', 1);
      await store.batch([
        { type: 'delete', collection: C, id: 'a' },
        { type: 'put', collection: C, id: 'a', value: 2, ifVersion: 0 },
      ]);
      assert.equal((await store.get(C, 'a'))?.value, 2);
    },
  ],
  [
    'watch tells of changes under its prefix, after they are made, in order',
    async ({ store }) => {
      const seen: RecordChange[] = [];
      const stop = store.watch(C, 'x', (change) => seen.push(change));
      await store.put(C, 'x1', 1);
      await store.put(C, 'y', 1);
      await store.put('other', 'x2', 1);
      await store.put(C, 'x1', 2);
      await store.delete(C, 'x1');
      await store.delete(C, 'x1');
      await settled();
      assert.deepEqual(
        seen.map((change) => [change.type, change.id, change.type === 'put' ? change.record.value : undefined]),
        [
          ['put', 'x1', 1],
          ['put', 'x1', 2],
          ['delete', 'x1', undefined],
        ],
      );
      assert.ok(seen.every((change, i) => i === 0 || change.version > (seen[i - 1] as RecordChange).version));
      stop();
      stop();
      await store.put(C, 'x3', 1);
      await settled();
      assert.equal(seen.length, 3);
    },
  ],
  [
    'watch does not tell of what failed',
    async ({ store }) => {
      const seen: RecordChange[] = [];
      store.watch(C, '', (change) => seen.push(change));
      await conflict(
        store.batch([
          { type: 'put', collection: C, id: 'a', value: 1 },
          { type: 'check', collection: C, id: 'b', ifVersion: 1 },
        ]),
      );
      await settled();
      assert.deepEqual(seen, []);
    },
  ],
  [
    'a watcher that throws stops neither the write nor the others',
    async ({ store }) => {
      let told = 0;
      store.watch(C, '', () => {
        throw new Error('deliberate');
      });
      store.watch(C, '', () => told++);
      await store.put(C, 'a', 1);
      await settled();
      assert.equal(told, 1);
    },
  ],
  [
    'what is not JSON is refused and nothing is written',
    async ({ store }) => {
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      for (const value of [
        undefined,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1n,
        () => 1,
        Symbol('s'),
        new Date(0),
        new Map(),
        { a: undefined },
        [1, undefined],
        cycle,
      ]) {
        await invalid(store.put(C, 'a', value as Json));
      }
      assert.equal(await store.get(C, 'a'), undefined);
    },
  ],
  [
    'a key that not every store can hold is refused',
    async ({ store }) => {
      await invalid(store.put('', 'a', 1));
      await invalid(store.put('a\0b', 'a', 1));
      await invalid(store.put('c'.repeat(257), 'a', 1));
      await invalid(store.put(C, '', 1));
      await invalid(store.put(C, 'x'.repeat(1025), 1));
      await invalid(store.put(C, '\ud800', 1));
      await invalid(store.get(C, ''));
      await invalid(store.scan(C, { limit: 0 }));
      await invalid(store.put(C, 'a', 1, { ttlMs: 0 }));
      await invalid(store.put(C, 'a', 1, { ifVersion: -1 }));
    },
  ],
  [
    'it says what a write survives',
    async ({ store }) => {
      assert.ok(['kept', 'lost'].includes(store.durability.killed));
      assert.ok(['kept', 'last-moments-lost', 'lost'].includes(store.durability.powerCut));
      assert.ok(store.durability.text.length > 0);
    },
  ],
  [
    'after close everything is refused; closing again does nothing',
    async ({ store }) => {
      await store.put(C, 'a', 1);
      await store.close();
      await store.close();
      for (const attempt of [
        () => store.get(C, 'a'),
        () => store.put(C, 'a', 1),
        () => store.delete(C, 'a'),
        () => store.scan(C),
        () => store.batch([{ type: 'delete', collection: C, id: 'a' }]),
      ]) {
        await assert.rejects(attempt, { code: 'STORAGE_CLOSED' });
      }
    },
  ],
  [
    'close waits for running writes',
    async ({ store }) => {
      const writes = Promise.allSettled(Array.from({ length: 5 }, (_, i) => store.put(C, `w${i}`, i)));
      await store.close();
      for (const write of await writes) {
        if (write.status === 'rejected') assert.equal((write.reason as { code?: string }).code, 'STORAGE_CLOSED');
      }
    },
  ],
];

/** Lets a store that tells its watchers a little later do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
