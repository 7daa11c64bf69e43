export type { BlobContent, BlobInfo, BlobStore } from './blob-store.js';
export { BlobNotFoundError, StorageError, VersionConflictError } from './errors.js';
export type { Json } from './json.js';
export { type MemoryStorageOptions, memoryStorage } from './memory-storage.js';
export type {
  DeleteOptions,
  Durability,
  PutOptions,
  RecordChange,
  RecordOperation,
  RecordStore,
  ScanOptions,
  StoredRecord,
} from './record-store.js';
export type { Storage } from './storage.js';
