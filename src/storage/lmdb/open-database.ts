import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError, storageFailure } from '../errors.js';
import { type LmdbDatabase, loadLmdb } from './driver.js';

/** LMDB's mark on the first page, after the page header of 24 bytes (16 in older formats), in either byte order. */
const MAGIC = [0xbeefc0de, 0xdec0efbe];
const HEAD = 28;

/**
 * Opens or makes the database file. A file that is none is refused here, because the driver crashes the whole process on it.
 * @throws StorageError; UsageError PBX_MISSING_PACKAGE
 */
export async function openDatabase(path: string): Promise<LmdbDatabase> {
  const module = await loadLmdb();
  try {
    await mkdir(dirname(path), { recursive: true });
    await refuseForeignFile(path);
    return module.open({
      path,
      noSubdir: true,
      encoding: 'json',
      keyEncoding: 'binary',
      // Without it LMDB flushes inside the commit, so a resolved write is a durable one.
      overlappingSync: false,
      // With it a failed commit also rejects a promise of the driver's own, which nobody can catch: the process would end.
      eventTurnBatching: false,
    });
  } catch (error) {
    throw storageFailure('open', path, error);
  }
}

async function refuseForeignFile(path: string): Promise<void> {
  const head = Buffer.alloc(HEAD);
  const file = await open(path, 'a+', 0o600);
  try {
    const { bytesRead } = await file.read(head, 0, HEAD, 0);
    if (bytesRead === 0) return;
    const marks = [head.readUInt32LE(24), head.readUInt32LE(16)];
    if (bytesRead === HEAD && marks.some((mark) => MAGIC.includes(mark))) return;
    throw new StorageError(`${path} is not an LMDB database; choose another path, or remove the file`);
  } finally {
    await file.close();
  }
}
