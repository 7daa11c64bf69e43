import { UsageError } from '../../base/errors.js';

/** What we need of a database of the `lmdb` package. */
export interface LmdbDatabase {
  get(key: Uint8Array): unknown;
  /** Inside a transaction: writes into it, and is durable with it. */
  putSync(key: Uint8Array, value: unknown): unknown;
  /** Inside a transaction, as `putSync`. */
  removeSync(key: Uint8Array): unknown;
  getRange(options: {
    readonly start: Uint8Array;
    readonly end: Uint8Array;
    readonly limit?: number;
  }): Iterable<{ readonly key: Uint8Array; readonly value: unknown }>;
  /** Runs `action` inside a write transaction; resolves to its result once that is committed. */
  transaction<T>(action: () => T): Promise<T>;
  close(): Promise<void>;
}

/** What we need of the `lmdb` package. */
export interface LmdbModule {
  open(options: {
    readonly path: string;
    readonly noSubdir: boolean;
    readonly encoding: 'json';
    readonly keyEncoding: 'binary';
    readonly overlappingSync: boolean;
    readonly eventTurnBatching: boolean;
  }): LmdbDatabase;
}

/** The optional peer, loaded when it is first needed. @throws UsageError PBX_MISSING_PACKAGE */
export async function loadLmdb(load: () => Promise<unknown> = () => import('lmdb')): Promise<LmdbModule> {
  try {
    return (await load()) as LmdbModule;
  } catch (cause) {
    throw new UsageError(
      'PBX_MISSING_PACKAGE',
      'storage lmdb() needs the package "lmdb": add it to your project with `npm install lmdb@^3.5`',
      { cause },
    );
  }
}

/**
 * What made a transaction fail. lmdb-js rejects with "Commit failed" and gives the reason as a promise, rejected a moment
 * later; left alone, that promise would end the process as an unhandled rejection.
 */
export async function commitFailure(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error;
  const { commitError } = error;
  if (!(commitError instanceof Promise)) return error;
  return commitError.then(
    () => error,
    (cause: unknown) => cause,
  );
}
