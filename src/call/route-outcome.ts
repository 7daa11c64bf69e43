import type { Uri } from '../protocol/sip/uri.js';

/** How an attempt, or one of its legs, ended without an answer by a person. */
export interface RouteOutcome {
  readonly kind: 'busy' | 'no-answer' | 'rejected' | 'unreachable' | 'redirected' | 'failed';
  /** The status that the caller would be given. */
  readonly status: number;
  readonly reason: string;
  /** Where a 3xx pointed to, best first. */
  readonly contacts: readonly Uri[];
  /** Reason header fields to pass on (RFC 3326). */
  readonly reasonHeaders: readonly string[];
}
