import type { TenantId } from '../base/tenant.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Source } from '../transport/layer.js';
import type { Target } from '../ua/target.js';
import type { CallHandler } from './handled-call.js';

/** One end of a call as people know it. */
export interface Party {
  /** The number: an extension of the PBX, or what the other side said. */
  readonly number: string;
  readonly displayName?: string;
  /** The extension that was authenticated, if one was. */
  readonly extension?: string;
}

/** What a router decides by. Plain data but for the signal. */
export interface RouteContext {
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled: the user part of the Request-URI, unescaped. */
  readonly called: string;
  readonly requestUri: Uri;
  readonly source: Source;
  /** How many redirections were followed already. */
  readonly redirections: number;
  /** Fires when the caller gives up. */
  readonly signal: AbortSignal;
}

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

/** Where a call goes next. */
export type Destination =
  | {
      readonly kind: 'targets';
      /** All are called at once; the first to answer wins. */
      readonly targets: readonly Target[];
      /** The number that is called, for To and the record. */
      readonly called: string;
      /** Default: the call service's. */
      readonly noAnswerSeconds?: number;
    }
  | { readonly kind: 'handler'; readonly run: CallHandler }
  | {
      readonly kind: 'reject';
      readonly status: number;
      readonly reason?: string;
      readonly reasonHeaders?: readonly string[];
    };

/** The port through which a call asks where to go: first without an outcome, then after each attempt that failed. */
export interface Router {
  next(context: RouteContext, lastOutcome?: RouteOutcome): Promise<Destination>;
}
