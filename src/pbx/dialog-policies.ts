import type { DialogPolicies } from '../dialog/policies.js';
import type { CallOptions } from './options.js';

/** RFC 4028 §4 and §5 name the defaults. */
export function dialogPolicies(calls: CallOptions = {}): DialogPolicies {
  const { sessionTimer = {}, reliableProvisionals = 'sdp' } = calls;
  if (sessionTimer === false) return { reliableProvisionals };
  const { seconds = 1800, minSeconds = 90, always = true } = sessionTimer;
  return { reliableProvisionals, sessionTimer: { seconds: Math.max(seconds, minSeconds), minSeconds, always } };
}
