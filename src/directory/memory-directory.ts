import { DEFAULT_TENANT, type TenantId } from '../base/tenant.js';
import { type Directory, duplicateExtension } from './directory.js';
import { checkExtension, type Extension } from './extension.js';

/** Extensions from a list, such as a configuration file, which stays the truth. */
export class MemoryDirectory implements Directory {
  readonly #tenants = new Map<TenantId, ReadonlyMap<string, Extension>>();

  /**
   * @param extensions those of `tenantId`
   * @throws UsageError DIRECTORY_DUPLICATE, PBX_INVALID_ARGUMENT
   */
  constructor(extensions: readonly Extension[] = [], tenantId: TenantId = DEFAULT_TENANT) {
    if (extensions.length > 0) this.replaceAll(tenantId, extensions);
  }

  /** Swaps a tenant's extensions at once; when one is refused, the old ones stay. @throws UsageError DIRECTORY_DUPLICATE, PBX_INVALID_ARGUMENT */
  replaceAll(tenantId: TenantId, extensions: readonly Extension[]): void {
    const next = new Map<string, Extension>();
    for (const extension of extensions) {
      checkExtension(extension);
      if (next.has(extension.number)) throw duplicateExtension(extension.number);
      next.set(extension.number, Object.freeze({ ...extension }));
    }
    if (next.size === 0) this.#tenants.delete(tenantId);
    else this.#tenants.set(tenantId, next);
  }

  async find(tenantId: TenantId, number: string): Promise<Extension | undefined> {
    return this.#tenants.get(tenantId)?.get(number);
  }

  async list(tenantId: TenantId): Promise<readonly Extension[]> {
    const extensions = [...(this.#tenants.get(tenantId)?.values() ?? [])];
    return extensions.sort((a, b) => (a.number < b.number ? -1 : 1));
  }
}
