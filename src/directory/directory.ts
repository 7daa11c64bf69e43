import { UsageError } from '../base/errors.js';
import type { TenantId } from '../base/tenant.js';
import type { Extension } from './extension.js';

/** Who exists. Registrar, challenges and routing ask it; the host may bring its own (LDAP, its user table). */
export interface Directory {
  /** Also a disabled one: whoever asks looks at `enabled`. */
  find(tenantId: TenantId, number: string): Promise<Extension | undefined>;
  /** All of the tenant, ordered by number. */
  list(tenantId: TenantId): Promise<readonly Extension[]>;
}

/** DIRECTORY_DUPLICATE */
export function duplicateExtension(number: string): UsageError {
  return new UsageError(
    'DIRECTORY_DUPLICATE',
    `extension ${number} exists already; replace or remove it, or choose another number`,
  );
}

/** DIRECTORY_NOT_FOUND */
export function missingExtension(number: string): UsageError {
  return new UsageError('DIRECTORY_NOT_FOUND', `there is no extension ${number}; add it first`);
}
