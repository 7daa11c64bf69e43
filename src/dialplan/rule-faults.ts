import type { ConfigProblem } from '../base/config-error.js';
import { show } from '../base/show.js';
import { shapeOf } from './feature-code.js';
import { ANY } from './prefix-table.js';
import { type CalledRule, type CallerRule, DEFAULT_PLAN, type DialPlanRules, type TransformRef } from './rules.js';

/** What of well-formed rules does not fit together: names that nothing has, and rules that stand twice. */
export function ruleFaults(rules: DialPlanRules): ConfigProblem[] {
  const { caller = [], called = [], refineCaller = [], refineCalled = [], blackList = [], codes = [] } = rules;
  const faults: ConfigProblem[] = [];
  const say = (path: string, found: string, expected: string) => faults.push({ path, found, expected });
  const names = namesOf(rules);

  const reference = (path: string, ref: TransformRef | undefined) => {
    if (ref === undefined || typeof ref === 'object' || names.transforms.has(String(ref))) return;
    say(path, `${show(path, ref)}, which is not in transforms`, oneOf(names.transforms));
  };
  const timed = (path: string, id: string | undefined) => {
    if (id !== undefined && !names.times.has(id))
      say(path, `${show(path, id)}, which is not in times`, oneOf(names.times));
  };
  const once = <T>(table: string, list: readonly T[], keyOf: (rule: T) => readonly unknown[], what: string) => {
    const first = new Map<string, number>();
    list.forEach((rule, i) => {
      const key = JSON.stringify(keyOf(rule));
      const before = first.get(key);
      if (before === undefined) first.set(key, i);
      else say(`${table}[${i}]`, `the ${what} of ${table}[${before}]`, 'each once');
    });
  };

  for (const [id, { timeZone = rules.timeZone }] of Object.entries(rules.times ?? {})) {
    if (timeZone === undefined) say(`times.${id}.timeZone`, 'nothing', 'a time zone, here or as timeZone of the plan');
  }
  caller.forEach(({ use, transform, time }, i) => {
    if (use !== undefined && !names.plans.has(use)) {
      say(`caller[${i}].use`, `${show('use', use)}, a plan without a called rule`, oneOf(names.plans));
    }
    reference(`caller[${i}].transform`, transform);
    timed(`caller[${i}].time`, time);
  });
  called.forEach((rule, i) => {
    const { route, transform, reanalyse = false, level, time } = rule;
    const at = `called[${i}]`;
    if (reanalyse === (route !== undefined)) {
      say(at, reanalyse ? 'both route and reanalyse' : 'neither route nor reanalyse', 'one of them');
    }
    if (reanalyse && transform === undefined) {
      say(`${at}.transform`, 'nothing', 'a transformation: what is not changed need not be analysed again');
    }
    reference(`${at}.transform`, transform);
    timed(`${at}.time`, time);
    if (level !== undefined && names.levels?.has(level) === false) {
      say(`${at}.level`, `${show(at, level)}, which is not in levels`, oneOf(names.levels));
    }
  });
  for (const [table, list] of [['refineCaller', refineCaller] as const, ['refineCalled', refineCalled] as const]) {
    list.forEach(({ transform }, i) => reference(`${table}[${i}].transform`, transform));
    once(table, list, ({ group, prefix }) => [group, prefix], 'group and prefix');
  }
  once('caller', caller, timedKey, 'plan, prefix and time');
  once('called', called, timedKey, 'plan, prefix and time');
  once('blackList', blackList, ({ caller = ANY, called = ANY }) => [caller, called], 'prefixes');
  once('codes', codes, ({ code }) => [shapeOf(code)], 'code');
  once('levels', rules.levels ?? [], (level) => [level], 'name');
  return faults;
}

function timedKey({ plan = DEFAULT_PLAN, prefix, time }: CallerRule | CalledRule): readonly unknown[] {
  return [plan, prefix, time];
}

function namesOf({ transforms = {}, times = {}, levels, called = [] }: DialPlanRules) {
  return {
    transforms: new Set(Object.keys(transforms)),
    times: new Set(Object.keys(times)),
    levels: levels === undefined ? undefined : new Set(levels),
    plans: new Set([DEFAULT_PLAN, ...called.map(({ plan = DEFAULT_PLAN }) => plan)]),
  };
}

function oneOf(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'an id that is defined';
  const shown = [...names].slice(0, 8).map((name) => JSON.stringify(name));
  return `one of ${shown.join(', ')}${names.size > shown.length ? ', …' : ''}`;
}
