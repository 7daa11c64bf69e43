import { scryptSync, timingSafeEqual } from 'node:crypto';
import type { EpochMillis } from '../base/clock.js';
import type { TenantId } from '../base/tenant.js';
import type { Json } from '../storage/json.js';
import type { RecordStore } from '../storage/record-store.js';
import type { LineFault } from './fault.js';
import type { Account } from './line-options.js';

/** Why and since when a line does not register any more. */
export interface Suspension {
  readonly fault: LineFault;
  readonly at: EpochMillis;
}

/** What outlives a restart. */
export interface LineMemory {
  /** The user part of the line's Contact: known to the carrier's registrar, so it must stay the same. */
  readonly token: string;
  readonly suspended?: Suspension & {
    /** A hash of the credentials that were refused: with others the line begins anew. */
    readonly credentials: string;
  };
}

/** The lines' run-time state in a record store: one record for each line in `${tenantId}/lines`. */
export class LineMemories {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Undefined for a line that was never here, or whose record is not ours to read. @throws what the store throws */
  async load(tenantId: TenantId, name: string): Promise<LineMemory | undefined> {
    const record = await this.#records.get(collectionOf(tenantId), name);
    return record === undefined ? undefined : fromJson(record.value);
  }

  /** @throws what the store throws */
  async save(tenantId: TenantId, name: string, { token, suspended }: LineMemory): Promise<void> {
    const value: Json = suspended === undefined ? { token } : { token, suspended: suspensionJson(suspended) };
    await this.#records.put(collectionOf(tenantId), name, value);
  }

  /** @throws what the store throws */
  async forget(tenantId: TenantId, name: string): Promise<void> {
    await this.#records.delete(collectionOf(tenantId), name);
  }
}

/**
 * A hash by which changed credentials are noticed, salted with the line's token. Slow on purpose (some milliseconds), since line passwords
 * are short; it is computed for suspended lines alone.
 */
export function credentialsHash(account: Account, token: string): string {
  const { authorizationId, password, username, domain, server, proxy, realms } = account;
  const text = JSON.stringify([authorizationId, password, username, domain, server, proxy ?? null, realms]);
  return scryptSync(text, token, 32, { N: 4096 }).toString('hex');
}

/** Whether these are the credentials that were refused. */
export function isSameCredentials(account: Account, { token, suspended }: LineMemory): boolean {
  if (suspended === undefined) return false;
  const now = Buffer.from(credentialsHash(account, token));
  const then = Buffer.from(suspended.credentials);
  return now.length === then.length && timingSafeEqual(now, then);
}

function collectionOf(tenantId: TenantId): string {
  return `${tenantId}/lines`;
}

function suspensionJson({ fault, at, credentials }: NonNullable<LineMemory['suspended']>): Json {
  const { kind, status, text } = fault;
  return { fault: { kind, text, ...(status === undefined ? {} : { status }) }, at, credentials };
}

function fromJson(value: Json): LineMemory | undefined {
  const memory = value as unknown as Partial<LineMemory> | null;
  return typeof memory?.token === 'string' ? (memory as LineMemory) : undefined;
}
