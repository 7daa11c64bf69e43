import { BlackList } from './black-list.js';
import { FeatureCodeTable } from './feature-code.js';
import { Hours } from './hours.js';
import { PrefixTable, type Row } from './prefix-table.js';
import type { Route } from './route.js';
import { DEFAULT_PLAN, type DialPlanRules, type RefineRule, type TransformRef } from './rules.js';
import type { Transform } from './transform.js';
import { ZoneClock } from './zone-clock.js';

/** A transformation with the id that rules know it by; none when it is written out in a rule. */
export interface NamedTransform {
  readonly id: string | undefined;
  readonly transform: Transform;
}

/** What the rules of the two analysing tables have in common. */
export interface TimedRecord extends Row {
  /** Where the rule stands: `called[0]`. */
  readonly path: string;
  readonly transform: NamedTransform | undefined;
  readonly hours: Hours | undefined;
}

export interface CallerRecord extends TimedRecord {
  readonly use: string | undefined;
}

export interface CalledRecord extends TimedRecord {
  /** Among the rules of all plans, from 0. */
  readonly index: number;
  /** Undefined: the changed number is analysed again. */
  readonly route: Route | undefined;
  readonly level: string | undefined;
}

export interface RefineRecord extends Row {
  readonly transform: Transform;
}

/** Several rules of one prefix differ in their time; those with a time come first, in the order of the rules. */
export type TimedTable<R extends TimedRecord> = PrefixTable<R>;

export interface PlanTables {
  readonly caller: TimedTable<CallerRecord>;
  readonly called: TimedTable<CalledRecord>;
}

/** The tables of a dial plan, ready for look-ups. */
export interface Tables {
  readonly outPrefix: string;
  readonly plans: ReadonlyMap<string, PlanTables>;
  readonly codes: FeatureCodeTable;
  readonly blackList: BlackList;
  /** By outgoing group. */
  readonly refineCaller: ReadonlyMap<string, PrefixTable<RefineRecord>>;
  readonly refineCalled: ReadonlyMap<string, PrefixTable<RefineRecord>>;
  readonly hours: ReadonlyMap<string, Hours>;
  /** Whether a rule asks what time it is. */
  readonly timed: boolean;
}

/** The tables of rules that have no fault. */
export function tablesOf(rules: DialPlanRules): Tables {
  const hours = hoursOf(rules);
  const at = (id: string | undefined) => (id === undefined ? undefined : hours.get(id));
  // Thousands of prefixes share a few routes and transformations: each is there once, and stays in the processor's cache.
  const route = sharing((each: Route) => each);
  const named = sharing((ref: TransformRef) => namedTransform(rules, ref));

  const caller = (rules.caller ?? []).map(({ plan = DEFAULT_PLAN, prefix, use, transform, time }, i) => ({
    plan,
    record: { path: `caller[${i}]`, prefix, use, transform: named(transform), hours: at(time) },
  }));
  const called = (rules.called ?? []).map(({ plan = DEFAULT_PLAN, prefix, level, time, ...rule }, i) => ({
    plan,
    record: {
      index: i,
      path: `called[${i}]`,
      prefix,
      route: route(rule.route),
      level,
      transform: named(rule.transform),
      hours: at(time),
    },
  }));
  const callers = grouped(caller, ({ plan }) => plan);
  const calleds = grouped(called, ({ plan }) => plan);
  const plans = new Set([DEFAULT_PLAN, ...callers.keys(), ...calleds.keys()]);
  return {
    outPrefix: rules.outPrefix ?? '9',
    plans: new Map(
      [...plans].map((plan) => [
        plan,
        {
          caller: timedTable((callers.get(plan) ?? []).map(({ record }) => record)),
          called: timedTable((calleds.get(plan) ?? []).map(({ record }) => record)),
        },
      ]),
    ),
    codes: new FeatureCodeTable(rules.codes ?? []),
    blackList: new BlackList(rules.blackList ?? []),
    refineCaller: refineTables(rules, rules.refineCaller ?? []),
    refineCalled: refineTables(rules, rules.refineCalled ?? []),
    hours,
    timed: [...caller, ...called].some(({ record }) => record.hours !== undefined),
  };
}

/** The items by key, each list in their order. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function timedTable<R extends TimedRecord>(records: readonly R[]): TimedTable<R> {
  const timeLast = ({ hours }: R) => (hours === undefined ? 1 : 0);
  return new PrefixTable([...records].sort((a, b) => timeLast(a) - timeLast(b)));
}

function refineTables(rules: DialPlanRules, list: readonly RefineRule[]): Map<string, PrefixTable<RefineRecord>> {
  const groups = grouped(list, ({ group }) => group);
  return new Map(
    [...groups].map(([group, each]) => [
      group,
      new PrefixTable(
        each.map(({ prefix, transform }) => ({ prefix, transform: namedTransform(rules, transform).transform })),
      ),
    ]),
  );
}

function hoursOf({ times = {}, timeZone = 'UTC' }: DialPlanRules): Map<string, Hours> {
  const clocks = new Map<string, ZoneClock>();
  return new Map(
    Object.entries(times).map(([id, condition]) => {
      const zone = condition.timeZone ?? timeZone;
      const clock = clocks.get(zone) ?? new ZoneClock(zone);
      clocks.set(zone, clock);
      return [id, new Hours(id, condition, zone, clock)];
    }),
  );
}

/** Equal arguments get one result, once. */
function sharing<T, U>(make: (from: T) => U): (from: T | undefined) => U | undefined {
  const made = new Map<string, U>();
  return (from) => {
    if (from === undefined) return undefined;
    const key = JSON.stringify(from);
    const result = made.get(key) ?? make(from);
    made.set(key, result);
    return result;
  };
}

function namedTransform({ transforms = {} }: DialPlanRules, ref: TransformRef): NamedTransform {
  if (typeof ref === 'object') return { id: undefined, transform: ref };
  const id = String(ref);
  return { id, transform: transforms[id] as Transform };
}
