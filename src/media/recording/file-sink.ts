import { type FileHandle, open } from 'node:fs/promises';
import type { RecordingSink } from './recording-sink.js';

/**
 * A recording as a file, which is made, or emptied, with the first byte. Sizes are patched as it grows, so that it can be played whenever
 * the process dies.
 */
export function fileSink(path: string): RecordingSink {
  return new FileSink(path);
}

class FileSink implements RecordingSink {
  readonly #path: string;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#file ??= await open(this.#path, 'w', 0o600);
    await this.#put(this.#file, bytes, this.#size);
    this.#size += bytes.length;
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#file !== undefined) await this.#put(this.#file, bytes, offset);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #put(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  }
}
