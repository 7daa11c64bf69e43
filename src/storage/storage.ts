import type { BlobStore } from './blob-store.js';
import type { RecordStore } from './record-store.js';

/** Where a PBX keeps what must outlive it. Creating one opens nothing; the first use, or `open()`, does. */
export interface Storage {
  readonly records: RecordStore;
  readonly blobs: BlobStore;
  /** Opens now, so that a bad path or a missing package shows at start. @throws StorageError, UsageError PBX_MISSING_PACKAGE */
  open?(): Promise<void>;
  close(): Promise<void>;
}
