import { headOf } from './feature-code.js';
import { findLoops } from './loops.js';
import type { PrefixTable } from './prefix-table.js';
import { ANY } from './prefix-table.js';
import type { Route } from './route.js';
import { DEFAULT_PLAN, type DialPlanRules } from './rules.js';
import { canHold, shadowed } from './shadows.js';
import type { Tables, TimedRecord } from './tables.js';

/** What exists outside of the plan. A list that is not given is not checked against. */
export interface KnownNames {
  readonly extensions?: readonly string[];
  readonly lines?: readonly string[];
  readonly groups?: readonly string[];
  readonly trunks?: readonly string[];
  readonly peers?: readonly string[];
  readonly services?: readonly string[];
  /** The dial plans that calls come in with, besides `default`: those of extensions, lines and trunks. */
  readonly plans?: readonly string[];
  /** The call levels that somebody owns. */
  readonly levels?: readonly string[];
}

/** A rule that can be used, and yet will not do what it was written for. */
export interface PlanProblem {
  /** Where it stands: `called[0]`. */
  readonly rule: string;
  /** `missing`: it names what does not exist. `unused`: nothing ever comes to it. `endless`: it may lead in a circle. */
  readonly kind: 'missing' | 'unused' | 'endless';
  readonly problem: string;
}

/** What is suspicious in a plan that has no fault. */
export function checkPlan(rules: DialPlanRules, tables: Tables, known: KnownNames): PlanProblem[] {
  return [
    ...missingNames(rules, known),
    ...unusedPlans(rules, known),
    ...neverInTime(rules),
    ...behindCodes(rules),
    ...[...tables.plans.values()].flatMap(({ caller, called }) => [...behindOthers(caller), ...behindOthers(called)]),
    ...[...tables.plans.values()].flatMap(({ called }) =>
      findLoops(called).map((ring) => {
        const way = [...ring, ...ring.slice(0, 1)].map(({ prefix }) => `prefix ${prefix}`).join(' → ');
        return {
          rule: ring[0]?.path ?? '',
          kind: 'endless' as const,
          problem: `analysing again may never end: ${way}`,
        };
      }),
    ),
  ];
}

function missingNames(rules: DialPlanRules, known: KnownNames): PlanProblem[] {
  const lists: Partial<Record<string, ReadonlySet<string>>> = Object.fromEntries(
    Object.entries(known).map(([list, names]) => [list, new Set(names)]),
  );
  const missing = (rule: string, list: keyof KnownNames, what: string, name: string | undefined) =>
    name === undefined || lists[list]?.has(name) !== false
      ? []
      : [{ rule, kind: 'missing' as const, problem: `there is no ${what} ${name}` }];
  const refined = (table: 'refineCaller' | 'refineCalled') =>
    (rules[table] ?? []).flatMap(({ group }, i) => missing(`${table}[${i}]`, 'groups', 'group', group));

  const routed = (rule: string, route: Route) => {
    switch (route.kind) {
      case 'extension':
        return missing(rule, 'extensions', 'extension', route.extension);
      case 'line':
        return missing(rule, 'lines', 'line', route.line);
      case 'group':
        return missing(rule, 'groups', 'group', route.group);
      case 'trunk':
        return missing(rule, 'trunks', 'trunk', route.trunk);
      case 'peer':
        return missing(rule, 'peers', 'peer', route.peer);
      case 'service':
        return missing(rule, 'services', 'service', route.service);
      case 'reject':
        return [];
    }
  };
  return [
    ...(rules.called ?? []).flatMap(({ route, level }, i) => [
      ...(route === undefined ? [] : routed(`called[${i}]`, route)),
      ...(level === undefined || lists['levels']?.has(level) !== false
        ? []
        : [{ rule: `called[${i}]`, kind: 'unused' as const, problem: `nobody owns the call level ${level}` }]),
    ]),
    ...(rules.codes ?? []).flatMap(({ service }, i) => missing(`codes[${i}]`, 'services', 'service', service)),
    ...refined('refineCaller'),
    ...refined('refineCalled'),
  ];
}

/** Calls come in with a plan, and one rule of the caller's number may change it once. */
function unusedPlans({ caller = [], called = [] }: DialPlanRules, { plans }: KnownNames): PlanProblem[] {
  if (plans === undefined) return [];
  const first = new Set([DEFAULT_PLAN, ...plans]);
  const begun = caller.filter(({ plan = DEFAULT_PLAN }) => first.has(plan));
  const used = new Set([...first, ...begun.flatMap(({ use }) => use ?? [])]);
  const unused = (plan: string, rule: string, from: ReadonlySet<string>) =>
    from.has(plan) ? [] : [{ rule, kind: 'unused' as const, problem: `no call comes to plan ${plan}` }];
  return [
    ...caller.flatMap(({ plan = DEFAULT_PLAN }, i) => unused(plan, `caller[${i}]`, first)),
    ...called.flatMap(({ plan = DEFAULT_PLAN }, i) => unused(plan, `called[${i}]`, used)),
  ];
}

function neverInTime({ times = {} }: DialPlanRules): PlanProblem[] {
  return Object.entries(times)
    .filter(([, condition]) => !canHold(condition))
    .map(([id]) => ({
      rule: `times.${id}`,
      kind: 'unused',
      problem: 'never holds: its dates are other days of the week',
    }));
}

/** Codes go before rules, so a rule for what they begin with gets only what is no code. */
function behindCodes({ codes = [], called = [] }: DialPlanRules): PlanProblem[] {
  const takes = (code: string, prefix: string) =>
    headOf(code) === code ? prefix === code : prefix !== ANY && prefix.startsWith(headOf(code));
  return called.flatMap(({ prefix }, i) => {
    const before = codes.find(({ code }) => takes(code, prefix));
    return before === undefined
      ? []
      : [{ rule: `called[${i}]`, kind: 'unused', problem: `the feature code ${before.code} goes before it` }];
  });
}

function behindOthers<R extends TimedRecord>(table: PrefixTable<R>): PlanProblem[] {
  const any = table.longest('');
  return [...(any === undefined ? [] : [any]), ...table.under('')].flatMap((first) =>
    shadowed(first).map(({ path, prefix }) => ({
      rule: path,
      kind: 'unused',
      problem: `never gets a number: other rules for prefix ${prefix} hold whenever it does`,
    })),
  );
}
