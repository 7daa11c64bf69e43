import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileBlobs } from '../../../src/storage/file/file-blobs.js';
import { fileNameOf, idOf, partialName } from '../../../src/storage/file/file-names.js';
import { blobStoreContract } from '../../../src/testing/blob-store-contract.js';
import { removeTempDirs, tempDir } from '../temp-dir.js';

removeTempDirs();

describe('file blobs keep the contract', () => {
  for (const { name, run } of blobStoreContract(() => fileBlobs({ path: tempDir() }))) test(name, run);
});

test('creating the store touches nothing; the first use makes the directory', async () => {
  const path = join(tempDir(), 'deep', 'blobs');
  const store = fileBlobs({ path });
  expect(existsSync(path)).toBe(false);
  await store.put('a', Buffer.from('x'));
  expect(readdirSync(path)).toEqual(['a.blob']);
});

test('blobs outlive the store object', async () => {
  const path = tempDir();
  const first = fileBlobs({ path });
  await first.put('greeting.wav', Buffer.from('sound'), { contentType: 'audio/wav' });
  await first.close();
  const info = await fileBlobs({ path }).stat('greeting.wav');
  expect(info).toMatchObject({ size: 5, contentType: 'audio/wav' });
});

test('the bytes stand at the start of the file, so a player can play it', async () => {
  const path = tempDir();
  await fileBlobs({ path }).put('a', Buffer.from('RIFF....'));
  expect(readFileSync(join(path, 'a.blob')).subarray(0, 8).toString()).toBe('RIFF....');
});

test('what a dead writer left is removed, what a living one writes is not', async () => {
  const path = tempDir();
  const dead = partialName(2 ** 30, 'x');
  const earlierRun = partialName(process.pid, 'y');
  const running = partialName(process.pid, 'z');
  const parent = partialName(process.ppid, 'p');
  for (const name of [dead, earlierRun, running, parent, 'notes.txt']) writeFileSync(join(path, name), '');
  utimesSync(join(path, earlierRun), 1, 1);
  await fileBlobs({ path }).open();
  expect(readdirSync(path).sort()).toEqual([running, parent, 'notes.txt'].sort());
});

test('a failed put leaves no partial file', async () => {
  const path = tempDir();
  const store = fileBlobs({ path });
  const broken = (async function* () {
    yield Buffer.from('x');
    throw new Error('deliberate');
  })();
  await expect(store.put('a', broken)).rejects.toThrow('deliberate');
  expect(readdirSync(path)).toEqual([]);
});

test('a file that was cut or is none of ours is reported with its path', async () => {
  const path = tempDir();
  const store = fileBlobs({ path });
  writeFileSync(join(path, 'a.blob'), 'something else');
  await expect(store.get('a')).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('a.blob'),
  });
  expect(await store.delete('a')).toBe(true);
});

test('a blob that was replaced before its stream was read is not mixed up', async () => {
  const path = tempDir();
  const store = fileBlobs({ path });
  await store.put('a', Buffer.from('old'));
  const { stream } = await store.get('a');
  await store.put('a', Buffer.from('newer'));
  await expect(
    (async () => {
      for await (const piece of stream) expect(piece).toBeUndefined();
    })(),
  ).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
});

test('a file where the directory should be: the message says which and what to do', async () => {
  const path = join(tempDir(), 'file');
  writeFileSync(path, '');
  await expect(fileBlobs({ path }).put('a', Buffer.from('x'))).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: `cannot open the blob directory ${path}: a file stands where a directory is expected; choose another path`,
  });
});

test.skipIf(process.platform === 'win32')('no permission', async () => {
  const path = join(tempDir(), 'closed');
  mkdirSync(path);
  chmodSync(path, 0o500);
  // Root may write anywhere, so that for this test it is nobody.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(fileBlobs({ path }).put('a', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('permission denied'),
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('file names: flat, unique also without regard to case, reversible', () => {
  const alphabet = 'abyzABYZ019._@+=/-'.split('');
  const id = fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 120 }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(id, id, (a, b) => {
      const name = fileNameOf(a);
      expect(idOf(name)).toBe(a);
      expect(name).toMatch(/^[a-z0-9._@+=!~-]+\.blob$/);
      expect(name.length).toBeLessThanOrEqual(245);
      if (a !== b) expect(fileNameOf(b)).not.toBe(name);
    }),
  );
});
