import type { Random } from '../base/random.js';
import type { Via } from '../protocol/sip/header/registry.js';
import { MAGIC_COOKIE } from './key.js';

/** A branch that nobody has used: RFC 3261 §8.1.1.7. */
export function newBranch(random: Random): string {
  return `${MAGIC_COOKIE}-${random.token()}`;
}

/** The Via of a request of ours before it is known where it leaves: the transport puts its own address in the place of this one. */
export function ownVia(branch: string, transport = 'UDP'): Via {
  return {
    protocol: 'SIP/2.0',
    transport,
    host: 'unset.invalid',
    params: [{ name: 'branch', value: branch }],
  };
}
