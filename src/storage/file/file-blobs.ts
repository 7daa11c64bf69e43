import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { processStartedAt } from '../../base/clock.js';
import type { PbxkitError } from '../../base/errors.js';
import { SystemRandom } from '../../base/random.js';
import { type BlobContent, type BlobInfo, type BlobStore, checkBlobId, checkContentType } from '../blob-store.js';
import { BlobNotFoundError, closedError, StorageError, storageFailure } from '../errors.js';
import { fileNameOf, idOf, partialName, writerOf } from './file-names.js';
import { printTrailer, readTrailer } from './trailer.js';

export interface FileBlobsOptions {
  /** A directory, made when it is missing. */
  readonly path: string;
}

/** Readers get pieces of up to this size. */
const PIECE = 64 * 1024;

/** Blobs as files of one directory; opens nothing until first used. */
export function fileBlobs(options: FileBlobsOptions): FileBlobs {
  return new FileBlobs(options);
}

/**
 * One file a blob, written beside its place, fsynced, then renamed: a crash or power cut leaves the old blob or the new
 * one. Several processes may share the directory. What crashed writers left is removed when the store opens.
 */
export class FileBlobs implements BlobStore {
  readonly #path: string;
  readonly #random = new SystemRandom();
  #opened: Promise<void> | undefined;
  #closed = false;

  constructor(options: FileBlobsOptions) {
    this.#path = options.path;
  }

  /** Makes the directory and cleans it. @throws StorageError */
  open(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError());
    this.#opened ??= this.#prepare().catch((error: unknown) => {
      this.#opened = undefined;
      throw storageFailure('open the blob directory', this.#path, error);
    });
    return this.#opened;
  }

  async put(
    id: string,
    data: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly contentType?: string } = {},
  ): Promise<BlobInfo> {
    checkBlobId(id);
    const { contentType } = options;
    if (contentType !== undefined) checkContentType(contentType);
    await this.open();
    const partial = join(this.#path, partialName(process.pid, this.#random.token()));
    const place = join(this.#path, fileNameOf(id));
    const trailer = contentType === undefined ? {} : { contentType };
    try {
      const size = await this.#write(partial, data, printTrailer(trailer));
      if (this.#closed) throw this.#closedError();
      const { mtimeMs } = await stat(partial);
      await rename(partial, place);
      await this.#syncDirectory();
      return { id, size, ...trailer, storedAt: Math.trunc(mtimeMs) };
    } catch (error) {
      await unlink(partial).catch(ignoreMissing);
      throw error instanceof SourceFailure ? error.cause : storageFailure('write', place, error);
    }
  }

  async get(id: string): Promise<BlobContent> {
    checkBlobId(id);
    await this.open();
    const info = await this.stat(id);
    if (info === undefined) throw new BlobNotFoundError(id);
    return { info, stream: { [Symbol.asyncIterator]: () => this.#read(info) } };
  }

  async stat(id: string): Promise<BlobInfo | undefined> {
    checkBlobId(id);
    await this.open();
    const file = await this.#openBlob(id);
    if (file === undefined) return undefined;
    try {
      return await this.#describe(id, file);
    } finally {
      await file.close();
    }
  }

  async delete(id: string): Promise<boolean> {
    checkBlobId(id);
    await this.open();
    const place = join(this.#path, fileNameOf(id));
    try {
      await unlink(place);
    } catch (error) {
      if (isMissing(error)) return false;
      throw storageFailure('delete', place, error);
    }
    await this.#syncDirectory();
    return true;
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    await this.open();
    const names = await readdir(this.#path).catch((error: unknown) => {
      throw storageFailure('list', this.#path, error);
    });
    const ids = names.map(idOf).filter((id): id is string => id?.startsWith(prefix) === true);
    const infos: BlobInfo[] = [];
    for (const id of ids.sort()) {
      const info = await this.stat(id);
      if (info !== undefined) infos.push(info);
    }
    return infos;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opened?.catch(() => {
      // Whoever asked for it to be opened has been told.
    });
  }

  /** Opens the file only when it is read, so that a stream that nobody reads holds no descriptor. */
  async *#read(info: BlobInfo): AsyncGenerator<Uint8Array> {
    const file = await this.#openBlob(info.id);
    if (file === undefined) throw new BlobNotFoundError(info.id);
    try {
      const now = await this.#describe(info.id, file);
      if (now.size !== info.size || now.storedAt !== info.storedAt) {
        throw new StorageError(`blob "${info.id}" was replaced before it was read; get it again`);
      }
      for (let position = 0; position < info.size; ) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE, info.size - position));
        const { bytesRead } = await file.read(piece, 0, piece.length, position);
        if (bytesRead === 0) throw new StorageError(`blob "${info.id}" ends early: its file was cut`);
        position += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } catch (error) {
      throw storageFailure('read', join(this.#path, fileNameOf(info.id)), error);
    } finally {
      await file.close();
    }
  }

  async #openBlob(id: string): Promise<FileHandle | undefined> {
    const place = join(this.#path, fileNameOf(id));
    try {
      return await open(place, 'r');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageFailure('read', place, error);
    }
  }

  async #describe(id: string, file: FileHandle): Promise<BlobInfo> {
    const stats = await file.stat();
    const read = await readTrailer(file, stats.size);
    if (read === undefined) {
      throw new StorageError(
        `${join(this.#path, fileNameOf(id))} is damaged or was not written by this store; delete the blob "${id}"`,
      );
    }
    return { id, size: read.size, ...read.trailer, storedAt: Math.trunc(stats.mtimeMs) };
  }

  /** Writes everything and makes it durable. Resolves to the size of the data without the trailer. */
  async #write(path: string, data: Uint8Array | AsyncIterable<Uint8Array>, trailer: Uint8Array): Promise<number> {
    const file = await open(path, 'wx', 0o600);
    let size = 0;
    try {
      for await (const chunk of data instanceof Uint8Array ? [data] : guarded(data)) {
        await file.writeFile(chunk);
        size += chunk.length;
      }
      await file.writeFile(trailer);
      await file.sync();
    } finally {
      await file.close();
    }
    return size;
  }

  /** A rename is durable once its directory is. Windows cannot open directories and needs no such call. */
  async #syncDirectory(): Promise<void> {
    if (process.platform === 'win32') return;
    const directory = await open(this.#path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#path, { recursive: true });
    const startedAt = processStartedAt();
    for (const name of await readdir(this.#path)) {
      const pid = writerOf(name);
      if (pid === undefined) continue;
      const path = join(this.#path, name);
      // In a container every run has the same process number, hence the look at the time.
      const abandoned = pid === process.pid ? await isOlder(path, startedAt) : !isAlive(pid);
      if (abandoned) await unlink(path).catch(ignoreMissing);
    }
  }

  #closedError(): PbxkitError {
    return closedError(`the blob store at ${this.#path}`);
  }
}

/** Carries what the caller's own stream threw past the wrapping of file errors. */
class SourceFailure extends Error {}

async function* guarded(data: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* data;
  } catch (error) {
    throw new SourceFailure('the data stream failed', { cause: error });
  }
}

async function isOlder(path: string, time: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < time;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return hasCode(error, 'EPERM');
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
