import type { HeaderInit } from '../protocol/sip/headers.js';

/** What this server says it can do. */
export interface Capabilities {
  /** Methods that some taker serves. */
  readonly allow: readonly string[];
  /** Option tags that may stand in Require. */
  readonly supported: readonly string[];
}

/** What an INVITE's body may be, for Accept: a session description, alone or among parts (RFC 5621). */
export const ACCEPTED_BODIES = 'application/sdp, multipart/mixed';

/** The headers of a 200 to OPTIONS: RFC 3261 §11.2. */
export function capabilityHeaders(capabilities: Capabilities): HeaderInit {
  const { allow, supported } = capabilities;
  return {
    Accept: ACCEPTED_BODIES,
    'Accept-Encoding': 'identity',
    'Accept-Language': 'en',
    Allow: allow,
    ...(supported.length > 0 ? { Supported: supported } : {}),
  };
}
