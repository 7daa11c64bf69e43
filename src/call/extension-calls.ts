import type { TenantId } from '../base/tenant.js';
import type { Party } from './party.js';

/** How many calls each extension has begun that still live. */
export class ExtensionCalls {
  readonly #counts = new Map<string, number>();
  readonly #keys = new Map<string, string>();

  /** The calls of the caller; 0 for one that is no extension. */
  of(tenantId: TenantId, caller: Party): number {
    const key = keyOf(tenantId, caller);
    return key === undefined ? 0 : (this.#counts.get(key) ?? 0);
  }

  /** `caller` has begun a call. */
  begin(callId: string, tenantId: TenantId, caller: Party): void {
    const key = keyOf(tenantId, caller);
    if (key === undefined) return;
    this.#keys.set(callId, key);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The call has ended; does nothing for one that was not counted. */
  end(callId: string): void {
    const key = this.#keys.get(callId);
    if (key === undefined) return;
    this.#keys.delete(callId);
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

function keyOf(tenantId: TenantId, { extension }: Party): string | undefined {
  return extension === undefined ? undefined : `${tenantId}\n${extension}`;
}
