import { errorText, PbxkitError, UsageError } from '../base/errors.js';

/** A record is not at the version that the caller named: read it again and decide anew. Nothing was written. */
export class VersionConflictError extends PbxkitError {
  readonly collection: string;
  readonly id: string;
  /** What the caller asked for; 0 means "must not exist". */
  readonly expected: number;
  /** What is there; 0 means "does not exist". */
  readonly found: number;

  constructor(collection: string, id: string, expected: number, found: number) {
    super(
      'STORAGE_CONFLICT',
      'storage',
      `${collection} "${id}" is ${versionText(found)}, not ${versionText(expected)}`,
    );
    this.collection = collection;
    this.id = id;
    this.expected = expected;
    this.found = found;
  }
}

/** Whether a write failed because the record had changed. By code: an adapter may come from another copy of the package. */
export function isConflict(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'STORAGE_CONFLICT';
}

function versionText(version: number): string {
  return version === 0 ? 'absent' : `at version ${version}`;
}

/** The disk or the driver failed. Whatever was being written is either wholly there or not at all. */
export class StorageError extends PbxkitError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('STORAGE_FAILED', 'storage', message, options);
  }
}

/** `get` of a blob that does not exist. */
export class BlobNotFoundError extends PbxkitError {
  constructor(id: string) {
    super('BLOB_NOT_FOUND', 'storage', `there is no blob "${id}"`);
  }
}

/** The store was closed before, or while, the operation ran. */
export function closedError(what: string): UsageError {
  return new UsageError('STORAGE_CLOSED', `${what} is closed; create a new one`);
}

/**
 * Wraps what the file system or a driver threw in a StorageError that names the path and says what to do.
 * An error of pbxkit's own passes unchanged.
 */
export function storageFailure(action: string, path: string, cause: unknown): PbxkitError {
  if (cause instanceof PbxkitError) return cause;
  return new StorageError(`cannot ${action} ${path}: ${advice(cause)}`, { cause });
}

function advice(cause: unknown): string {
  const code = systemCode(cause);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left; free some, or move it to a larger disk';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; give the user of this process the right to write there, or choose another path';
    case 'EROFS':
      return 'the file system is read-only; choose a path on a writable one';
    case 'EISDIR':
      return 'a directory stands where a file is expected; choose another path';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where a directory is expected; choose another path';
    case 'ENOENT':
      return 'it does not exist and cannot be created; check the path';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open; raise the limit of open files (ulimit -n)';
    default:
      return errorText(cause);
  }
}

/** LMDB gives the operating system's number as `code` and its text as message; node's own errors give a name. */
const BY_NUMBER: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  13: 'EACCES',
  17: 'EEXIST',
  20: 'ENOTDIR',
  21: 'EISDIR',
  24: 'EMFILE',
  28: 'ENOSPC',
  30: 'EROFS',
};

function systemCode(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  if (typeof cause.code === 'string') return cause.code;
  return typeof cause.code === 'number' ? BY_NUMBER[cause.code] : undefined;
}
