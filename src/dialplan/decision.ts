import type { EpochMillis } from '../base/clock.js';
import { describeRoute, type Route } from './route.js';

/** A call that wants to know where it goes. */
export interface PlanCall {
  readonly caller: string;
  /** As dialled. */
  readonly called: string;
  /** The instant. Needed when a rule has a time condition. */
  readonly at?: EpochMillis;
  /** The dial plan that it comes in with. Default `default`. */
  readonly plan?: string;
  /** The call levels that the caller owns. Default: none. */
  readonly levels?: readonly string[];
  /** The caller withholds the number. Default false. */
  readonly anonymous?: boolean;
  /** From 0 to before 1, drawn by whoever calls: for rates of the black list. Default 0: whoever may be refused is. */
  readonly random?: number;
}

/** Where a call goes. */
export type RouteDecision = DecidedRoute & {
  /** The caller's number after its transformations. */
  readonly caller: string;
  /** The called number after its transformations. */
  readonly called: string;
  /** The dial plan that it followed. */
  readonly plan: string;
  /** What decided: `called[0]`, `codes[2]`, `blackList[0]`, or `default` when no rule matched. */
  readonly rule: string;
  /** The call levels that the rules on the way asked for. */
  readonly requiredLevels: readonly string[];
};

/** A route with what the call adds to it. */
export type DecidedRoute =
  | Exclude<Route, { readonly kind: 'extension' | 'service' }>
  /** `otherwise`: the plan has no out-prefix; if there is no such extension, the number goes out on any line. */
  | { readonly kind: 'extension'; readonly extension: string; readonly otherwise?: 'line' }
  /** `arguments`: what was dialled with a feature code, by the words of the code. */
  | (Extract<Route, { readonly kind: 'service' }> & { readonly arguments?: Readonly<Record<string, string>> });

/** For people: `line 1234 as 5551234`. */
export function describeDecision(decision: RouteDecision): string {
  const text = describeRoute(decision);
  switch (decision.kind) {
    case 'line':
    case 'group':
    case 'trunk':
    case 'peer':
      return `${text} as ${decision.called}`;
    case 'extension':
      return decision.otherwise === undefined ? text : `${text}, or any line as ${decision.called}`;
    case 'service': {
      const words = Object.entries(decision.arguments ?? {}).map(([word, value]) => `${word} ${value}`);
      return words.length === 0 ? text : `${text} with ${words.join(', ')}`;
    }
    case 'reject':
      return text;
  }
}
