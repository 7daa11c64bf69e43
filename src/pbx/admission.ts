import type { Clock } from '../base/clock.js';
import { RateLimiter } from '../security/rate-limit.js';
import type { PbxOptions } from './options.js';

/** Limits how many requests an address may send; trusted peers may send any number. */
export function rateLimiter({ limits, trustedPeers = [] }: PbxOptions, clock: Clock): RateLimiter | undefined {
  if (limits?.rate === undefined) return undefined;
  return new RateLimiter({ ...limits.rate, allow: [...(limits.rate.allow ?? []), ...trustedPeers], clock });
}

/** The host's own guard is asked first: what it turns away uses nothing up. */
export function admission(own: PbxOptions['admit'], limiter: RateLimiter | undefined): Pick<PbxOptions, 'admit'> {
  if (limiter === undefined) return own === undefined ? {} : { admit: own };
  return { admit: (source) => own?.(source) !== false && limiter.admit(source.remote.address) };
}
