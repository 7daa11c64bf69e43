import { UsageError } from '../base/errors.js';
import type { BindingPolicy, ExpiryPolicy } from './bindings.js';

/** What a host says of it; the rest has defaults. */
interface Settings extends Partial<Pick<BindingPolicy, 'maxContacts' | 'whenFull'>> {
  readonly expiry?: Partial<ExpiryPolicy>;
}

/** @throws UsageError PBX_INVALID_ARGUMENT for an expiry or a limit out of range */
export function policyOf(options: Settings): BindingPolicy {
  const { minSeconds = 60, maxSeconds = 3600, defaultSeconds = Math.min(3600, maxSeconds) } = options.expiry ?? {};
  const { maxContacts = 10, whenFull = 'refuse' } = options;
  checkWhole('expiry.minSeconds', minSeconds, 0, maxSeconds);
  checkWhole('expiry.maxSeconds', maxSeconds, 1, 2 ** 32 - 1);
  checkWhole('expiry.defaultSeconds', defaultSeconds, Math.max(1, minSeconds), maxSeconds);
  checkWhole('maxContacts', maxContacts, 1, Number.MAX_SAFE_INTEGER);
  return { minSeconds, maxSeconds, defaultSeconds, maxContacts, whenFull };
}

/** @throws UsageError PBX_INVALID_ARGUMENT */
export function checkWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `${what}: found ${value}, expected a whole number from ${least} to ${most}`,
  );
}
