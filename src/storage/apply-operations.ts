import type { EpochMillis } from '../base/clock.js';
import { VersionConflictError } from './errors.js';
import { frozenCopy } from './json.js';
import {
  checkKey,
  checkPutOptions,
  type RecordChange,
  type RecordOperation,
  type StoredRecord,
} from './record-store.js';

/** What planning needs to see of the store; expired records count as absent and are not shown. */
export interface RecordReader {
  read(collection: string, id: string): StoredRecord | undefined;
  /** The highest version given so far. */
  readonly lastVersion: number;
}

/**
 * Copies the operations and checks them, before anything waits: what the caller changes afterwards changes nothing.
 * @throws UsageError
 */
export function checkOperations(operations: readonly RecordOperation[]): readonly RecordOperation[] {
  return operations.map((operation) => {
    checkKey(operation.collection, operation.id);
    checkPutOptions(operation);
    return operation.type === 'put' ? { ...operation, value: frozenCopy(operation.value) } : { ...operation };
  });
}

/**
 * The changes that checked operations make, in order, without making them: so a store applies all or none.
 * Deleting what does not exist is no change.
 * @throws VersionConflictError for the first condition that fails.
 */
export function planOperations(
  operations: readonly RecordOperation[],
  store: RecordReader,
  now: EpochMillis,
): readonly RecordChange[] {
  const changes: RecordChange[] = [];
  // What earlier operations have made; most changes are one operation.
  const pending = operations.length > 1 ? new Map<string, StoredRecord | undefined>() : undefined;
  let version = store.lastVersion;
  for (const operation of operations) {
    const { collection, id } = operation;
    const key = pending === undefined ? '' : `${collection}\0${id}`;
    const current = pending?.has(key) === true ? pending.get(key) : store.read(collection, id);
    const found = current?.version ?? 0;
    if (operation.ifVersion !== undefined && operation.ifVersion !== found) {
      throw new VersionConflictError(collection, id, operation.ifVersion, found);
    }
    if (operation.type === 'put') {
      const { value, ttlMs } = operation;
      version++;
      const record: StoredRecord = Object.freeze(
        ttlMs === undefined ? { id, value, version } : { id, value, version, expiresAt: now + ttlMs },
      );
      pending?.set(key, record);
      changes.push({ type: 'put', collection, id, version, record });
    } else if (operation.type === 'delete' && current !== undefined) {
      version++;
      pending?.set(key, undefined);
      changes.push({ type: 'delete', collection, id, version });
    }
  }
  return changes;
}
