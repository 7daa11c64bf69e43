import type { TenantId } from '../base/tenant.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Source, Target } from '../ua/target.js';
import type { CallHandler } from './handled-call.js';
import type { Party } from './party.js';
import type { RouteOutcome } from './route-outcome.js';

/** What a router decides by. Plain data but for the signal. */
export interface RouteContext {
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled: the user part of the Request-URI, unescaped. */
  readonly called: string;
  readonly requestUri: Uri;
  readonly source: Source;
  /**
   * Who transfers the call: `called` is where to, and this party's rights count, not the caller's. Absent when nobody does.
   */
  readonly transferor?: Party;
  /** How many redirections were followed already. */
  readonly redirections: number;
  /** Fires when the caller gives up. One and the same for all questions of one search, and of no other. */
  readonly signal: AbortSignal;
}

/** Where a call goes next. */
export type Destination =
  | {
      readonly kind: 'targets';
      /** All are called at once; the first to answer wins. */
      readonly targets: readonly Target[];
      /** The number that is called, for To and the record. */
      readonly called: string;
      /** The number by which the called party is told who calls. Default: the caller's. */
      readonly caller?: string;
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
