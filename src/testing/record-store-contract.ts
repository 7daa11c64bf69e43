import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.js';
import type { RecordStore } from '../storage/record-store.js';
import type { ContractCase } from './contract-case.js';
import { C, conflict, ids, type RecordStoreCase } from './record-store-bench.js';
import { CHANGE_CASES } from './record-store-change-cases.js';
import { SettableClock } from './settable-clock.js';

/** A fresh, empty store for one test; the suite closes it. `clock` is the time for expiry, where the store lets it be injected. */
export type RecordStoreFactory = (clock: Clock) => RecordStore | Promise<RecordStore>;

export interface RecordStoreContractOptions {
  /** For a store that keeps its own time (a server): waits really. The suite moves the clock that it injected in any case. */
  readonly elapse?: (ms: number) => Promise<void>;
}

/** What every RecordStore must do. Uses node:assert only. */
export function recordStoreContract(
  create: RecordStoreFactory,
  options: RecordStoreContractOptions = {},
): readonly ContractCase[] {
  return [...VALUE_CASES, ...CHANGE_CASES].map(([name, test]) => ({
    name,
    run: async () => {
      const clock = new SettableClock();
      const store = await create(clock);
      const elapse = async (ms: number): Promise<void> => {
        clock.advance(ms);
        await options.elapse?.(ms);
      };
      try {
        await test({ store, elapse });
      } finally {
        await store.close();
      }
    },
  }));
}

const VALUE_CASES: readonly RecordStoreCase[] = [
  [
    'get answers undefined for what was never put',
    async ({ store }) => {
      assert.equal(await store.get(C, 'a'), undefined);
    },
  ],
  [
    'put then get returns the value and the version',
    async ({ store }) => {
      const value = { text: 'ä☎\u{1F600}', list: [1, null, true, { deep: -0.5 }], empty: {} };
      const version = await store.put(C, 'a', value);
      const record = await store.get(C, 'a');
      assert.deepEqual(record?.value, value);
      assert.equal(record?.id, 'a');
      assert.equal(record?.version, version);
      assert.equal(record !== undefined && 'expiresAt' in record, false);
    },
  ],
  [
    'a record does not change with the object that was put',
    async ({ store }) => {
      const value = { inner: { n: 1 } };
      const done = store.put(C, 'a', value);
      value.inner.n = 2;
      await done;
      assert.deepEqual((await store.get(C, 'a'))?.value, { inner: { n: 1 } });
    },
  ],
  [
    'every put raises the version',
    async ({ store }) => {
      const first = await store.put(C, 'a', 1);
      const second = await store.put(C, 'a', 1);
      assert.ok(first > 0 && Number.isSafeInteger(first));
      assert.ok(second > first);
    },
  ],
  [
    'a version is not used again after deletion',
    async ({ store }) => {
      const first = await store.put(C, 'a', 1);
      await store.delete(C, 'a');
      const second = await store.put(C, 'a', 2);
      assert.ok(second > first, 'a stale compare-and-set would win over the new record');
    },
  ],
  [
    'put with ifVersion succeeds on the right version only',
    async ({ store }) => {
      const first = await store.put(C, 'a', 1, { ifVersion: 0 });
      await conflict(store.put(C, 'a', 2, { ifVersion: 0 }));
      await conflict(store.put(C, 'a', 2, { ifVersion: first + 1 }));
      assert.equal((await store.get(C, 'a'))?.value, 1);
      await store.put(C, 'a', 3, { ifVersion: first });
      assert.equal((await store.get(C, 'a'))?.value, 3);
      await conflict(store.put(C, 'none', 1, { ifVersion: first }));
      assert.equal(await store.get(C, 'none'), undefined);
    },
  ],
  [
    'of many compare-and-sets from one version exactly one wins',
    async ({ store }) => {
      const version = await store.put(C, 'n', 0);
      const tries = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => store.put(C, 'n', i, { ifVersion: version })),
      );
      assert.equal(tries.filter((each) => each.status === 'fulfilled').length, 1);
      const winner = tries.findIndex((each) => each.status === 'fulfilled');
      assert.equal((await store.get(C, 'n'))?.value, winner);
    },
  ],
  [
    'counting by compare-and-set loses nothing',
    async ({ store }) => {
      await store.put(C, 'n', 0);
      await Promise.all(Array.from({ length: 8 }, () => increment(store, 'n')));
      assert.equal((await store.get(C, 'n'))?.value, 8);
    },
  ],
  [
    'delete tells whether there was something',
    async ({ store }) => {
      assert.equal(await store.delete(C, 'a'), false);
      await store.put(C, 'a', 1);
      assert.equal(await store.delete(C, 'a'), true);
      assert.equal(await store.get(C, 'a'), undefined);
      assert.equal(await store.delete(C, 'a'), false);
    },
  ],
  [
    'delete with ifVersion',
    async ({ store }) => {
      const version = await store.put(C, 'a', 1);
      await conflict(store.delete(C, 'a', { ifVersion: version + 1 }));
      assert.equal((await store.get(C, 'a'))?.value, 1);
      assert.equal(await store.delete(C, 'a', { ifVersion: version }), true);
      await conflict(store.delete(C, 'a', { ifVersion: version }));
    },
  ],
  [
    'collections are apart, also when one name begins with the other',
    async ({ store }) => {
      await store.put('t', 'a', 1);
      await store.put('t/b', 'a', 2);
      await store.put('tx', 'a', 3);
      assert.deepEqual(await ids(store, 't'), ['a']);
      assert.equal((await store.get('t/b', 'a'))?.value, 2);
      await store.delete('t', 'a');
      assert.equal((await store.get('t/b', 'a'))?.value, 2);
      assert.equal((await store.get('tx', 'a'))?.value, 3);
    },
  ],
  [
    'ids may hold any character, and stay apart',
    async ({ store }) => {
      const odd = [
        'a',
        'A',
        'a\0',
        '\0',
        'a\0b',
        ' ',
        '../../x',
        'ä',
        'a\u0308',
        '☎',
        '%',
        '\u{1F600}',
        'x'.repeat(1024),
      ];
      for (const [i, id] of odd.entries()) await store.put(C, id, i);
      for (const [i, id] of odd.entries()) assert.equal((await store.get(C, id))?.value, i, JSON.stringify(id));
      assert.equal((await store.scan(C)).length, odd.length);
    },
  ],
  [
    'scan is ordered by UTF-8 bytes',
    async ({ store }) => {
      const all = ['b', 'a', 'ab', 'B', 'a\0', '\u{1F600}', '\uFF5E', 'ä', '10', '9', 'a/'];
      for (const id of all) await store.put(C, id, 0);
      const wanted = [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await ids(store, C), wanted);
    },
  ],
  [
    'scan by prefix',
    async ({ store }) => {
      for (const id of ['a', 'ab', 'ab\u{10FFFF}', 'abc', 'ac', 'b']) await store.put(C, id, 0);
      assert.deepEqual(
        (await store.scan(C, { prefix: 'ab' })).map((each) => each.id),
        ['ab', 'abc', 'ab\u{10FFFF}'],
      );
      assert.deepEqual(await store.scan(C, { prefix: 'x' }), []);
    },
  ],
  [
    'scan in pages sees every record once',
    async ({ store }) => {
      const all = Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`);
      for (const id of [...all].reverse()) await store.put(C, id, 0);
      await store.put(C, 'q', 0);
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await store.scan(C, { prefix: 'p', limit: 10, ...(after !== undefined && { after }) });
        assert.ok(page.length <= 10);
        if (page.length === 0) break;
        seen.push(...page.map((record) => record.id));
        after = page.at(-1)?.id;
      }
      assert.deepEqual(seen, all);
      assert.deepEqual(await store.scan(C, { prefix: 'p', after: 'q' }), []);
    },
  ],
];

async function increment(store: RecordStore, id: string): Promise<void> {
  for (;;) {
    const record = await store.get(C, id);
    assert.ok(record !== undefined);
    try {
      await store.put(C, id, (record.value as number) + 1, { ifVersion: record.version });
      return;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'STORAGE_CONFLICT');
    }
  }
}
