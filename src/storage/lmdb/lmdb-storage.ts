import { type Clock, systemClock } from '../../base/clock.js';
import { type Logger, silentLogger } from '../../base/logger.js';
import { FileBlobs } from '../file/file-blobs.js';
import type { Storage } from '../storage.js';
import { LmdbRecords } from './lmdb-records.js';

export interface LmdbStorageOptions {
  /** The database file, such as `./office.db`. Blobs go into the directory `./office.db.blobs`. */
  readonly path: string;
  /** For expiry; default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Storage on the local disk: records in an LMDB file, blobs as files beside it. Opens nothing until first used. */
export function lmdb(options: LmdbStorageOptions): Required<Storage> {
  const { path, clock = systemClock, logger = silentLogger } = options;
  const records = new LmdbRecords({ path, clock, logger });
  const blobs = new FileBlobs({ path: `${path}.blobs` });
  return {
    records,
    blobs,
    async open() {
      await records.open();
      await blobs.open();
    },
    async close() {
      await records.close();
      await blobs.close();
    },
  };
}
