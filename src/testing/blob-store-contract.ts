import assert from 'node:assert/strict';
import type { BlobStore } from '../storage/blob-store.js';
import type { ContractCase } from './contract-case.js';

/** A fresh, empty store for one test; the suite closes it. */
export type BlobStoreFactory = () => BlobStore | Promise<BlobStore>;

/** What every BlobStore must do. Uses node:assert only. */
export function blobStoreContract(create: BlobStoreFactory): readonly ContractCase[] {
  return CASES.map(([name, test]) => ({
    name,
    run: async () => {
      const store = await create();
      try {
        await test(store);
      } finally {
        await store.close();
      }
    },
  }));
}

const CASES: readonly (readonly [name: string, test: (store: BlobStore) => Promise<void>])[] = [
  [
    'put then get returns the bytes and what is known of them',
    async (store) => {
      const put = await store.put('a.wav', bytes(1000), { contentType: 'audio/wav' });
      assert.equal(put.size, 1000);
      const { info, stream } = await store.get('a.wav');
      assert.deepEqual(info, put);
      assert.deepEqual(await store.stat('a.wav'), put);
      assert.equal(info.contentType, 'audio/wav');
      assert.ok(info.storedAt > 0);
      assert.deepEqual(await collect(stream), bytes(1000));
    },
  ],
  [
    'without a content type there is none',
    async (store) => {
      assert.equal('contentType' in (await store.put('a', bytes(1))), false);
      assert.equal('contentType' in ((await store.stat('a')) ?? { contentType: '' }), false);
    },
  ],
  [
    'an empty blob is a blob',
    async (store) => {
      await store.put('empty', new Uint8Array(0));
      const { info, stream } = await store.get('empty');
      assert.equal(info.size, 0);
      assert.equal((await collect(stream)).length, 0);
    },
  ],
  [
    'a stream goes in and a large blob comes out in pieces',
    async (store) => {
      const info = await store.put(
        'big',
        (async function* () {
          for (let i = 0; i < 40; i++) yield bytes(10_000, i);
        })(),
      );
      assert.equal(info.size, 400_000);
      const { stream } = await store.get('big');
      const all = await collect(stream);
      assert.equal(all.length, 400_000);
      for (let i = 0; i < 40; i++) assert.deepEqual(all.subarray(i * 10_000, (i + 1) * 10_000), bytes(10_000, i));
    },
  ],
  [
    'put replaces, whole',
    async (store) => {
      await store.put('a', bytes(5000), { contentType: 'audio/wav' });
      await store.put('a', bytes(10, 7), { contentType: 'text/plain' });
      const { info, stream } = await store.get('a');
      assert.equal(info.size, 10);
      assert.equal(info.contentType, 'text/plain');
      assert.deepEqual(await collect(stream), bytes(10, 7));
      assert.equal((await store.list('')).length, 1);
    },
  ],
  [
    'a stream that fails leaves the old blob and its error reaches the caller',
    async (store) => {
      await store.put('a', bytes(3));
      const failure = new Error('deliberate');
      await assert.rejects(
        store.put(
          'a',
          (async function* () {
            yield bytes(100);
            throw failure;
          })(),
        ),
        failure,
      );
      assert.deepEqual(await collect((await store.get('a')).stream), bytes(3));
      assert.equal((await store.list('')).length, 1);
    },
  ],
  [
    'until a put is complete readers see the old blob',
    async (store) => {
      await store.put('a', bytes(3));
      const { promise: gate, resolve: open } = deferred();
      const put = store.put(
        'a',
        (async function* () {
          yield bytes(10, 1);
          await gate;
          yield bytes(10, 2);
        })(),
      );
      assert.equal((await store.stat('a'))?.size, 3);
      open();
      await put;
      assert.equal((await store.stat('a'))?.size, 20);
    },
  ],
  [
    'what is missing',
    async (store) => {
      await assert.rejects(store.get('none'), { code: 'BLOB_NOT_FOUND' });
      assert.equal(await store.stat('none'), undefined);
      assert.equal(await store.delete('none'), false);
    },
  ],
  [
    'delete',
    async (store) => {
      await store.put('a', bytes(3));
      assert.equal(await store.delete('a'), true);
      assert.equal(await store.stat('a'), undefined);
      assert.equal(await store.delete('a'), false);
    },
  ],
  [
    'list by prefix, in order',
    async (store) => {
      for (const id of ['t/b', 't/a', 'u/a', 't', 'T/a', 't/a/c']) await store.put(id, bytes(1));
      assert.deepEqual(
        (await store.list('t/')).map((info) => info.id),
        ['t/a', 't/a/c', 't/b'],
      );
      assert.deepEqual(
        (await store.list('')).map((info) => info.id),
        ['T/a', 't', 't/a', 't/a/c', 't/b', 'u/a'],
      );
      assert.deepEqual(await store.list('x'), []);
    },
  ],
  [
    'ids that mean something to a file system are ordinary here',
    async (store) => {
      const odd = [
        '..',
        '.',
        '../../etc/passwd',
        '/etc/passwd',
        'a//b',
        'A',
        'a',
        'a.blob',
        'a/b.blob',
        'con',
        '-rf',
        'x'.repeat(120),
        'X'.repeat(120),
      ];
      for (const [i, id] of odd.entries()) await store.put(id, bytes(4, i));
      for (const [i, id] of odd.entries())
        assert.deepEqual(await collect((await store.get(id)).stream), bytes(4, i), id);
      assert.deepEqual(
        (await store.list('')).map((info) => info.id),
        [...odd].sort(),
      );
    },
  ],
  [
    'an id outside the alphabet is refused',
    async (store) => {
      for (const id of ['', 'a b', 'a\0', 'ä', 'a\\b', 'a%2f', 'x'.repeat(121)]) {
        await assert.rejects(store.put(id, bytes(1)), { code: 'PBX_INVALID_ARGUMENT' }, JSON.stringify(id));
        await assert.rejects(store.get(id), { code: 'PBX_INVALID_ARGUMENT' });
      }
      await assert.rejects(store.put('a', bytes(1), { contentType: 'a\r\nb' }), { code: 'PBX_INVALID_ARGUMENT' });
      assert.deepEqual(await store.list(''), []);
    },
  ],
  [
    'a reader may stop early',
    async (store) => {
      await store.put('big', bytes(300_000));
      for await (const piece of (await store.get('big')).stream) {
        assert.ok(piece.length > 0);
        break;
      }
      assert.equal(await store.delete('big'), true);
    },
  ],
  [
    'a blob does not change with the bytes that were put or given out',
    async (store) => {
      const data = bytes(10);
      await store.put('a', data);
      data.fill(0);
      for await (const piece of (await store.get('a')).stream) piece.fill(0);
      assert.deepEqual(await collect((await store.get('a')).stream), bytes(10));
    },
  ],
  [
    'after close everything is refused; closing again does nothing',
    async (store) => {
      await store.put('a', bytes(1));
      await store.close();
      await store.close();
      for (const attempt of [
        () => store.put('a', bytes(1)),
        () => store.get('a'),
        () => store.stat('a'),
        () => store.delete('a'),
        () => store.list(''),
      ]) {
        await assert.rejects(attempt, { code: 'STORAGE_CLOSED' });
      }
    },
  ],
];

/** Bytes that differ from place to place and from seed to seed. */
function bytes(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + seed * 17) & 0xff);
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
