export { type LmdbStorageOptions, lmdb } from './lmdb-storage.js';
