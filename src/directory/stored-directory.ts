import type { TenantId } from '../base/tenant.js';
import { isConflict } from '../storage/errors.js';
import type { Json } from '../storage/json.js';
import type { RecordStore } from '../storage/record-store.js';
import { type Directory, duplicateExtension, missingExtension } from './directory.js';
import { checkExtension, checkNumber, type Extension, isNumber } from './extension.js';

const PAGE = 1_000;

/** Extensions in a RecordStore, one record each in `${tenantId}/extensions`. Of a password only its HA1 values are stored. */
export class StoredDirectory implements Directory {
  readonly #records: RecordStore;

  constructor(options: { readonly records: RecordStore }) {
    this.#records = options.records;
  }

  /** @throws UsageError DIRECTORY_DUPLICATE, PBX_INVALID_ARGUMENT; what the store throws */
  async add(tenantId: TenantId, extension: Extension): Promise<void> {
    checkExtension(extension);
    try {
      await this.#records.put(collectionOf(tenantId), extension.number, toJson(extension), { ifVersion: 0 });
    } catch (error) {
      throw isConflict(error) ? duplicateExtension(extension.number) : error;
    }
  }

  /** Puts `extension` in the place of the one with its number. @throws UsageError DIRECTORY_NOT_FOUND, PBX_INVALID_ARGUMENT; what the store throws */
  async replace(tenantId: TenantId, extension: Extension): Promise<void> {
    checkExtension(extension);
    const { number } = extension;
    for (;;) {
      const record = await this.#records.get(collectionOf(tenantId), number);
      if (record === undefined) throw missingExtension(number);
      try {
        await this.#records.put(collectionOf(tenantId), number, toJson(extension), { ifVersion: record.version });
        return;
      } catch (error) {
        // Somebody else changed or removed it in between: look again.
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** @throws UsageError DIRECTORY_NOT_FOUND; what the store throws */
  async remove(tenantId: TenantId, number: string): Promise<void> {
    checkNumber(number);
    if (!(await this.#records.delete(collectionOf(tenantId), number))) throw missingExtension(number);
  }

  /** A number that no extension can have is simply not found: it may come off the wire. */
  async find(tenantId: TenantId, number: string): Promise<Extension | undefined> {
    if (!isNumber(number)) return undefined;
    const record = await this.#records.get(collectionOf(tenantId), number);
    return record === undefined ? undefined : fromJson(record.value);
  }

  async list(tenantId: TenantId): Promise<readonly Extension[]> {
    const extensions: Extension[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#records.scan(collectionOf(tenantId), {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { value } of page) extensions.push(fromJson(value));
      if (page.length < PAGE) return extensions;
      after = page.at(-1)?.id;
    }
  }
}

function collectionOf(tenantId: TenantId): string {
  return `${tenantId}/extensions`;
}

/** Field by field, so that nothing that a caller left on the object (a password) reaches the disk. */
function toJson(extension: Extension): Json {
  const { number, name, email, kind, secret, digest, maxContacts, noAnswerSeconds, levels, enabled } = extension;
  const { username, realm, ha1 } = secret;
  return {
    number,
    secret: { username, realm, ha1: { ...ha1 } },
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(kind !== undefined && { kind }),
    ...(digest !== undefined && { digest: [...digest] }),
    ...(maxContacts !== undefined && { maxContacts }),
    ...(levels !== undefined && { levels: [...levels] }),
    ...(noAnswerSeconds !== undefined && { noAnswerSeconds }),
    ...(enabled !== undefined && { enabled }),
  };
}

/** @throws UsageError when the store holds something else under an extension's key */
function fromJson(value: Json): Extension {
  const extension = value as unknown as Extension;
  checkExtension(extension);
  return extension;
}
