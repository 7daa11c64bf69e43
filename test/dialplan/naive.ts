import type {
  CalledRule,
  CallerRule,
  DialPlanRules,
  PlanCall,
  RouteDecision,
  Transform,
  TransformRef,
} from 'pbxkit/dialplan';

/** What a transformation does, on lists. `Array.prototype.splice` clamps as the product does. */
export function naively(transform: Transform, number: readonly string[]): readonly string[] {
  const changed = [...number];
  if (transform.type === 'delete') changed.splice(transform.start, transform.length);
  if (transform.type === 'insert') changed.splice(transform.start, 0, ...transform.digits);
  if (transform.type === 'replace') changed.splice(transform.start, transform.length, ...transform.digits);
  if (transform.type === 'append') changed.push(...transform.digits);
  if (transform.type === 'keep') {
    return number.filter((_, i) => ('first' in transform ? i < transform.first : i >= number.length - transform.last));
  }
  if (transform.type === 'sequence')
    return transform.steps.reduce<readonly string[]>((all, step) => naively(step, all), changed);
  return changed;
}

/** The prefix fits the number; `*` fits all. */
const fits = (prefix: string, number: string) => prefix === '*' || number.startsWith(prefix);
const weight = (prefix: string) => (prefix === '*' ? 0 : prefix.length);

/**
 * What a dial plan decides, by looking through all rules each time: slow, and simple enough to believe. `isOpen` says which time
 * conditions hold.
 */
export function decideNaively(
  rules: DialPlanRules,
  call: PlanCall,
  isOpen: (time: string) => boolean,
): Record<string, unknown> {
  const { outPrefix = '9', codes = [], blackList = [], called: calledRules = [], caller: callerRules = [] } = rules;
  const best = <R extends CallerRule | CalledRule>(list: readonly R[], plan: string, number: string): R | undefined => {
    const fitting = list.filter(
      (rule) =>
        (rule.plan ?? 'default') === plan &&
        fits(rule.prefix, number) &&
        (rule.time === undefined || isOpen(rule.time)),
    );
    const longest = Math.max(...fitting.map(({ prefix }) => weight(prefix)));
    const finalists = fitting.filter(({ prefix }) => weight(prefix) === longest);
    return finalists.find(({ time }) => time !== undefined) ?? finalists[0];
  };
  const change = (ref: TransformRef | undefined, number: string) => {
    if (ref === undefined) return number;
    const transform = typeof ref === 'object' ? ref : rules.transforms?.[ref];
    return transform === undefined ? number : naively(transform, [...number]).join('');
  };

  let [plan, caller, called] = [call.plan ?? 'default', call.caller, call.called];
  const levels = new Set<string>();
  const decided = (route: object, rule: string) => ({
    ...route,
    caller,
    called,
    plan,
    rule,
    requiredLevels: [...levels],
  });
  const refuse = (status: number, reason: string, rule: string) => decided({ kind: 'reject', status, reason }, rule);

  const callerRule = best(callerRules, plan, caller);
  plan = callerRule?.use ?? plan;
  caller = change(callerRule?.transform, caller);

  const anonymous = call.anonymous === true || call.caller === 'anonymous';
  const barring = blackList
    .map(({ caller: from = '*', called: to = '*', rate = 100 }, i) => ({ from, to, rate, i }))
    .filter(({ from, to }) => fits(to, call.called) && (from === 'anonymous' ? anonymous : fits(from, call.caller)))
    .sort((a, b) => rank(b.from) - rank(a.from) || weight(b.to) - weight(a.to))[0];
  if (barring !== undefined && (call.random ?? 0) * 100 < barring.rate)
    return refuse(403, 'Call Barred', `blackList[${barring.i}]`);

  for (const dialled of [called, called.replace(/#$/, '')]) {
    for (const [i, { code, ...service }] of codes.entries()) {
      const words = code.match(/[A-Za-z]+/g) ?? [];
      const pattern = code.replace(/[*]/g, '\\*').replace(/[A-Za-z]+/g, '([^*#]+)');
      const match = new RegExp(`^${pattern}$`).exec(dialled);
      if (match === null) continue;
      const dialledWords = Object.fromEntries(words.map((word, at) => [word, match[at + 1]]));
      return decided({ kind: 'service', ...service, arguments: dialledWords }, `codes[${i}]`);
    }
  }

  for (const seen: string[] = []; ; ) {
    const rule = best(calledRules, plan, called);
    if (rule === undefined) break;
    const path = `called[${calledRules.indexOf(rule)}]`;
    if (rule.level !== undefined) levels.add(rule.level);
    if (rule.level !== undefined && call.levels?.includes(rule.level) !== true)
      return refuse(403, 'Call Level Required', path);
    seen.push(called);
    called = change(rule.transform, called);
    if (rule.route === undefined) {
      if (seen.length > 64 || seen.includes(called)) return refuse(482, 'Dial Plan Loop', path);
      continue;
    }
    const { route } = rule;
    if (route.kind === 'service' || route.kind === 'reject') return decided(route, path);
    const extension = route.kind === 'extension' ? { extension: route.extension ?? called } : {};
    const empty = route.kind === 'extension' ? extension.extension === '' : called === '';
    return empty ? refuse(484, 'Address Incomplete', path) : decided({ ...route, ...extension }, path);
  }

  const out = outPrefix !== '' && called.startsWith(outPrefix);
  if (out) called = called.slice(outPrefix.length);
  if (called === '') return refuse(484, 'Address Incomplete', 'default');
  if (out) return decided({ kind: 'line' }, 'default');
  return decided(
    { kind: 'extension', extension: called, ...(outPrefix === '' ? { otherwise: 'line' } : {}) },
    'default',
  );
}

/** Rules for those who withhold their number go first. */
function rank(from: string): number {
  return from === 'anonymous' ? Number.POSITIVE_INFINITY : weight(from);
}

/** Whether a decision tells of a loop. */
export function isLoop(decision: RouteDecision): boolean {
  return decision.kind === 'reject' && decision.status === 482;
}
