import { ANY } from './prefix-table.js';
import { describeRoute } from './route.js';
import { type CalledRule, DEFAULT_PLAN, type DialPlanRules, type TransformRef } from './rules.js';
import { describeTransform } from './transform.js';

/** The plan as a Mermaid flowchart: calls to plans to routes, each arrow with its prefix. */
export function mermaidOf(rules: DialPlanRules): string {
  const { outPrefix = '9', codes = [], caller = [], called = [] } = rules;
  const nodes = new Nodes();
  const call = nodes.of('call', '([call])');
  const plan = (name: string) => nodes.of(`plan ${name}`, `{{${quoted(`plan ${name}`)}}}`);
  const target = (text: string) => nodes.of(`to ${text}`, `[${quoted(text)}]`);
  const arrows = [`${call} --> ${plan(DEFAULT_PLAN)}`];
  const arrow = (from: string, label: readonly string[], to: string) =>
    arrows.push(`${from} -->|${quoted(label.join(', '))}| ${to}`);

  for (const { code, service, name } of codes) {
    arrow(call, [code], target(name === undefined ? service : `${service} ${name}`));
  }
  for (const { plan: from = DEFAULT_PLAN, prefix, use = from, transform, time } of caller) {
    arrow(plan(from), [`caller ${numbers(prefix)}`, ...changed(rules, transform), ...when(time)], plan(use));
  }
  for (const rule of called) {
    const from = plan(rule.plan ?? DEFAULT_PLAN);
    arrow(from, labelOf(rules, rule), rule.route === undefined ? from : target(describeRoute(rule.route)));
  }
  for (const from of new Set([DEFAULT_PLAN, ...called.map(({ plan: name = DEFAULT_PLAN }) => name)])) {
    if (called.some(({ plan: name = DEFAULT_PLAN, prefix, time }) => name === from && prefix === ANY && !time))
      continue;
    const own = called.some(
      ({ plan: name = DEFAULT_PLAN, prefix, time }) => name === from && outPrefix.startsWith(prefix) && !time,
    );
    if (outPrefix !== '' && !own) arrow(plan(from), [numbers(outPrefix), 'by default without it'], target('any line'));
    arrow(plan(from), ['else'], target(outPrefix === '' ? 'local user, or any line' : 'local user'));
  }
  return ['flowchart LR', ...nodes.lines, ...arrows].join('\n  ');
}

function labelOf(rules: DialPlanRules, { prefix, transform, level, time }: CalledRule): string[] {
  const needs = level === undefined ? [] : [`level ${level}`];
  return [numbers(prefix), ...changed(rules, transform), ...needs, ...when(time)];
}

function numbers(prefix: string): string {
  return prefix === ANY ? 'any number' : `${prefix}…`;
}

function when(time: string | undefined): string[] {
  return time === undefined ? [] : [`time ${time}`];
}

function changed({ transforms = {} }: DialPlanRules, ref: TransformRef | undefined): string[] {
  if (ref === undefined) return [];
  const transform = typeof ref === 'object' ? ref : transforms[String(ref)];
  return transform === undefined ? [] : [describeTransform(transform)];
}

/** Quotation marks and the number sign mean something to Mermaid; entities do not. */
function quoted(text: string): string {
  return `"${text.replaceAll('#', '#35;').replaceAll('"', '#quot;')}"`;
}

/** Boxes, each once. */
class Nodes {
  readonly lines: string[] = [];
  readonly #ids = new Map<string, string>();

  of(key: string, shape: string): string {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = `n${this.#ids.size}`;
    this.#ids.set(key, id);
    this.lines.push(`${id}${shape}`);
    return id;
  }
}
