import { type Clock, systemClock } from '../base/clock.js';
import { type BlobContent, type BlobInfo, type BlobStore, checkBlobId, checkContentType } from './blob-store.js';
import { BlobNotFoundError, closedError } from './errors.js';

interface Entry {
  readonly info: BlobInfo;
  readonly bytes: Uint8Array;
}

/** Readers get pieces of this size. */
const PIECE = 64 * 1024;

/** Blobs in this process's memory. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, Entry>();
  readonly #clock: Clock;
  #closed = false;

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  async put(
    id: string,
    data: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly contentType?: string } = {},
  ): Promise<BlobInfo> {
    this.#checkOpen();
    checkBlobId(id);
    const { contentType } = options;
    if (contentType !== undefined) checkContentType(contentType);
    const bytes = data instanceof Uint8Array ? data.slice() : await collect(data);
    this.#checkOpen();
    const info: BlobInfo = {
      id,
      size: bytes.length,
      ...(contentType !== undefined && { contentType }),
      storedAt: this.#clock.wallTime(),
    };
    this.#blobs.set(id, { info, bytes });
    return info;
  }

  async get(id: string): Promise<BlobContent> {
    this.#checkOpen();
    checkBlobId(id);
    const entry = this.#blobs.get(id);
    if (entry === undefined) throw new BlobNotFoundError(id);
    return { info: entry.info, stream: pieces(entry.bytes) };
  }

  async stat(id: string): Promise<BlobInfo | undefined> {
    this.#checkOpen();
    checkBlobId(id);
    return this.#blobs.get(id)?.info;
  }

  async delete(id: string): Promise<boolean> {
    this.#checkOpen();
    checkBlobId(id);
    return this.#blobs.delete(id);
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    this.#checkOpen();
    const ids = [...this.#blobs.keys()].filter((id) => id.startsWith(prefix)).sort();
    return ids.map((id) => (this.#blobs.get(id) as Entry).info);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#blobs.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError('the memory store');
  }
}

async function collect(data: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of data) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // Copies, so that a reader who writes into its piece does not change the blob.
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.slice(start, start + PIECE);
}
