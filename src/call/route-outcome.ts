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
  /** What the other side answered, where it did: the caller is told `status`, which says less. */
  readonly response?: FinalResponse;
  /** Whether somebody was heard to ring, or early media came, before it ended. */
  readonly rang?: boolean;
}

/** A final response to an INVITE, as a router wants to know it. */
export interface FinalResponse {
  readonly status: number;
  /** RFC 3261 §20.33. */
  readonly retryAfterSeconds?: number;
}
