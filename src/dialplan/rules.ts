import type { FeatureCode } from './feature-code.js';
import type { Route } from './route.js';
import type { TimeCondition } from './time-condition.js';
import type { Transform } from './transform.js';

/** The dial plan of calls that name none. */
export const DEFAULT_PLAN = 'default';

/** A transformation by its id in `transforms`, or written out in place. */
export type TransformRef = string | number | Transform;

/** Analyse the caller's number: which dial plan the call follows. */
export interface CallerRule {
  /** The plan that the call came in with. Default `default`. */
  readonly plan?: string;
  /** What the caller's number begins with; `*` alone: any. */
  readonly prefix: string;
  /** The plan that it follows then. Default: the same. */
  readonly use?: string;
  /** Changes the caller's number. */
  readonly transform?: TransformRef;
  /** Holds only then; a time condition's id. */
  readonly time?: string;
}

/** Analyse the called number: where the call goes. Either `route`, or `reanalyse` with `transform`. */
export interface CalledRule {
  /** Default `default`. */
  readonly plan?: string;
  /** What the called number begins with; `*` alone: any. */
  readonly prefix: string;
  readonly route?: Route;
  /** Changes the called number. */
  readonly transform?: TransformRef;
  /** The changed number is analysed again, in the same plan. Default false. */
  readonly reanalyse?: boolean;
  /** The call level that the caller must own. Default: none, everyone may. */
  readonly level?: string;
  /** Holds only then; a time condition's id. */
  readonly time?: string;
}

/** The last change of a number before it leaves by an outgoing group. It sees the number without the out-prefix. */
export interface RefineRule {
  readonly group: string;
  /** What the number begins with; `*` alone: any. */
  readonly prefix: string;
  readonly transform: TransformRef;
}

/** Whom not to put through. The longest caller prefix counts first, then the longest called prefix. */
export interface BlackListRule {
  /** What the caller's number begins with; `*`: any; `anonymous`: callers who withhold their number. Default `*`. */
  readonly caller?: string;
  /** What the dialled number begins with; `*`: any. Default `*`. */
  readonly called?: string;
  /** How many of a hundred such calls are refused, 0–100; 0 makes an exception. Default 100. */
  readonly rate?: number;
}

/** All tables of a dial plan, as plain data: they can stand in a JSON file. In each the longest prefix wins, whatever the order. */
export interface DialPlanRules {
  /** Where numbers without a rule go out: any line, without this prefix. Default `9`. */
  readonly outPrefix?: string;
  /** Transformations by id. */
  readonly transforms?: Readonly<Record<string, Transform>>;
  /** Time conditions by id. */
  readonly times?: Readonly<Record<string, TimeCondition>>;
  /** The time zone of conditions that name none: an IANA name. */
  readonly timeZone?: string;
  /** The call levels there are. Default: those that rules name. */
  readonly levels?: readonly string[];
  /** Feature codes; they go before `called`. Default: none; `FEATURE_CODES` is a table to begin with. */
  readonly codes?: readonly FeatureCode[];
  readonly blackList?: readonly BlackListRule[];
  readonly caller?: readonly CallerRule[];
  readonly called?: readonly CalledRule[];
  readonly refineCaller?: readonly RefineRule[];
  readonly refineCalled?: readonly RefineRule[];
}
