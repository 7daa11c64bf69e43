export type { BlobContent, BlobInfo, BlobStore } from './blob-store.js';
export { BlobNotFoundError, StorageError, VersionConflictError } from './errors.js';
export type { Json } from './json.js';
export { type MemoryStorageOptions, memoryStorage } from './memory-storage.js';
export {
  DEFAULT_SCAN_LIMIT,
  type DeleteOptions,
  type Durability,
  type PutOptions,
  type RecordChange,
  type RecordOperation,
  type RecordStore,
  type ScanOptions,
  type StoredRecord,
} from './record-store.js';
export type { Storage } from './storage.js';
