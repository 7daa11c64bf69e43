import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storageFailure } from '../../../src/storage/errors.js';
import { commitFailure, loadLmdb } from '../../../src/storage/lmdb/driver.js';
import { LmdbRecords } from '../../../src/storage/lmdb/lmdb-records.js';
import { lmdb } from '../../../src/storage/lmdb/lmdb-storage.js';
import { recordStoreContract } from '../../../src/testing/record-store-contract.js';
import { SettableClock } from '../../../src/testing/settable-clock.js';
import { removeTempDirs, tempDir } from '../temp-dir.js';

removeTempDirs();

describe('lmdb records keep the contract', () => {
  for (const { name, run } of recordStoreContract(
    (clock) => new LmdbRecords({ path: join(tempDir(), 'r.db'), clock }),
  )) {
    test(name, run);
  }
});

test('creating the storage touches nothing; open makes the directory, the file and the blob directory', async () => {
  const path = join(tempDir(), 'deep', 'office.db');
  const storage = lmdb({ path });
  expect(existsSync(join(path, '..'))).toBe(false);
  await storage.open();
  expect(existsSync(path)).toBe(true);
  expect(existsSync(`${path}.blobs`)).toBe(true);
  await storage.close();
});

test('records, versions and expiry survive reopening', async () => {
  const path = join(tempDir(), 'r.db');
  const clock = new SettableClock();
  const first = lmdb({ path, clock });
  const version = await first.records.put('c', 'a', { n: 1 });
  await first.records.put('c', 'short', 1, { ttlMs: 1000 });
  const deleted = await first.records.put('c', 'gone', 1);
  await first.records.delete('c', 'gone');
  await first.close();
  clock.advance(2000);
  const second = lmdb({ path, clock });
  expect(await second.records.get('c', 'a')).toEqual({ id: 'a', value: { n: 1 }, version });
  expect(await second.records.get('c', 'short')).toBeUndefined();
  expect(await second.records.put('c', 'gone', 2)).toBeGreaterThan(deleted);
  await second.close();
});

test('two stores on one file see each other, and compare-and-set holds across them', async () => {
  const path = join(tempDir(), 'r.db');
  const [one, two] = [new LmdbRecords({ path }), new LmdbRecords({ path })];
  const version = await one.put('c', 'a', 1);
  expect((await two.get('c', 'a'))?.version).toBe(version);
  await two.put('c', 'a', 2, { ifVersion: version });
  await expect(one.put('c', 'a', 3, { ifVersion: version })).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  expect((await one.get('c', 'a'))?.value).toBe(2);
  await one.close();
  await two.close();
});

test('a file that is no database is refused with its path, not opened', async () => {
  const path = join(tempDir(), 'letter.txt');
  for (const content of ['Dear Sir', 'x'.repeat(20_000)]) {
    writeFileSync(path, content);
    await expect(new LmdbRecords({ path }).get('c', 'a')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: `${path} is not an LMDB database; choose another path, or remove the file`,
    });
  }
});

test('paths that cannot be opened: the message names the path and says what to do', async () => {
  const dir = tempDir();
  mkdirSync(join(dir, 'directory'));
  await expect(new LmdbRecords({ path: join(dir, 'directory') }).open()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('a directory stands where a file is expected'),
  });
  writeFileSync(join(dir, 'file'), '');
  await expect(new LmdbRecords({ path: join(dir, 'file', 'r.db') }).open()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('a file stands where a directory is expected'),
  });
});

test('opening may be tried again after a failure', async () => {
  const dir = tempDir();
  const path = join(dir, 'file', 'r.db');
  writeFileSync(join(dir, 'file'), '');
  const records = new LmdbRecords({ path });
  await expect(records.open()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  rmSync(join(dir, 'file'));
  await records.put('c', 'a', 1);
  expect((await records.get('c', 'a'))?.value).toBe(1);
  await records.close();
});

test('ended records are removed from the file by later writes', async () => {
  const clock = new SettableClock();
  const records = new LmdbRecords({ path: join(tempDir(), 'r.db'), clock });
  await records.batch(
    Array.from(
      { length: 40 },
      (_, i) => ({ type: 'put', collection: 'c', id: `s${i}`, value: i, ttlMs: 1000 }) as const,
    ),
  );
  await records.put('c', 'extended', 1, { ttlMs: 1000 });
  await records.put('c', 'extended', 2, { ttlMs: 1_000_000 });
  clock.advance(2000);
  for (let i = 0; i < 4; i++) await records.put('c', 'kept', i);
  // Turning the clock back would show what was only hidden.
  clock.advance(-2000);
  expect((await records.scan('c')).map((record) => record.id)).toEqual(['extended', 'kept']);
  await records.close();
});

test('without the package the error says how to install it', async () => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'lmdb'"));
  await expect(loadLmdb(missing)).rejects.toMatchObject({
    code: 'PBX_MISSING_PACKAGE',
    kind: 'misuse',
    message: expect.stringContaining('npm install lmdb'),
  });
});

test('the reason of a failed commit is found behind the driver’s general error', async () => {
  const reason = Object.assign(new Error('No space left on device'), { code: 28 });
  const general = Object.assign(new Error('Commit failed'), { commitError: Promise.reject(reason) });
  expect(await commitFailure(general)).toBe(reason);
  const other = new Error('something else');
  expect(await commitFailure(other)).toBe(other);
  expect(storageFailure('write', 'office.db', await commitFailure(reason)).message).toBe(
    'cannot write office.db: no space is left; free some, or move it to a larger disk',
  );
});
