import type { BlobStore } from '../../storage/blob-store.js';
import type { RecordingSink } from './recording-sink.js';

/** A recording in memory: a minute of one channel takes about a megabyte. */
export class MemorySink implements RecordingSink {
  #bytes: Buffer = Buffer.alloc(64 * 1024);
  #size = 0;

  /** The file so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  write(bytes: Uint8Array): void {
    while (this.#size + bytes.length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  patch(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
  }

  close(): void | Promise<void> {}
}

/** A recording in a blob store, put there whole when it ends: until then it is kept in memory. */
export function blobSink(store: Pick<BlobStore, 'put'>, id: string): RecordingSink {
  return new BlobSink(store, id);
}

class BlobSink extends MemorySink {
  readonly #store: Pick<BlobStore, 'put'>;
  readonly #id: string;

  constructor(store: Pick<BlobStore, 'put'>, id: string) {
    super();
    this.#store = store;
    this.#id = id;
  }

  override async close(): Promise<void> {
    await this.#store.put(this.#id, this.bytes, { contentType: 'audio/wav' });
  }
}
