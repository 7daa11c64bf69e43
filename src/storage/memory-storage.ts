import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { MemoryBlobs } from './memory-blobs.js';
import { MemoryRecords } from './memory-records.js';
import type { Storage } from './storage.js';

export interface MemoryStorageOptions {
  /** For expiry; default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Storage that ends with the process. */
export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  const records = new MemoryRecords(options);
  const blobs = new MemoryBlobs(options);
  return {
    records,
    blobs,
    async close() {
      await records.close();
      await blobs.close();
    },
  };
}
