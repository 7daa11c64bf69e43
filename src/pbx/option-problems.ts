import * as v from 'valibot';
import { type ConfigProblem, PbxConfigError, show } from './config-error.js';

/** @throws PbxConfigError that lists every fault of `value` against the schema */
export function check(against: v.GenericSchema, value: unknown): void {
  const result = v.safeParse(against, value);
  if (!result.success) throw new PbxConfigError(result.issues.map((issue) => problem(issue, against)));
}

function problem(issue: v.BaseIssue<unknown>, schema: v.GenericSchema): ConfigProblem {
  const path = pathOf(issue);
  if (issue.type === 'strict_object' && issue.expected === 'never') return unknownOption(issue, path, schema);
  // A key that is not there, and not a value that is no object: both come from the object around them.
  const missing = issue.type === 'strict_object' && issue.path !== undefined && issue.expected !== 'Object';
  return { path, found: missing ? 'nothing' : show(path, issue.input), expected: missing ? 'a value' : issue.message };
}

/** A name that no option has: most often a slip of the pen, so the closest one is named. */
function unknownOption(issue: v.BaseIssue<unknown>, path: string, schema: v.GenericSchema): ConfigProblem {
  const last = issue.path?.[issue.path.length - 1];
  const found = String(last?.key ?? '');
  const known = knownKeys(issue, schema);
  const closest = known
    .map((key) => ({ key, distance: distance(found, key) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint =
    closest !== undefined && closest.distance <= Math.max(2, found.length / 3)
      ? `"${closest.key}"`
      : `one of ${known.join(', ')}`;
  return { path, found: 'an option that does not exist', expected: hint };
}

function knownKeys(issue: v.BaseIssue<unknown>, schema: v.GenericSchema): readonly string[] {
  let current: unknown =
    issue.path !== undefined && issue.path.length > 0 && issue.path[0]?.type === 'object' ? schema : undefined;
  for (const step of issue.path?.slice(0, -1) ?? []) current = descend(current, step.key);
  const entries = entriesOf(current);
  return entries === undefined ? [] : Object.keys(entries);
}

function descend(current: unknown, key: unknown): unknown {
  const entries = entriesOf(current);
  if (entries !== undefined) return entries[String(key)];
  const inner = unwrap(current);
  return isRecord(inner) && 'item' in inner ? inner['item'] : undefined;
}

function entriesOf(current: unknown): Record<string, unknown> | undefined {
  const inner = unwrap(current);
  return isRecord(inner) && isRecord(inner['entries']) ? inner['entries'] : undefined;
}

/** The schema behind `optional`, or behind `lazy`, of which the one for a single value is looked at. */
function unwrap(current: unknown): unknown {
  if (isRecord(current) && typeof current['getter'] === 'function') return unwrap(current['getter']({}));
  return isRecord(current) && 'wrapped' in current ? unwrap(current['wrapped']) : current;
}

/** True for an object that is not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function pathOf(issue: v.BaseIssue<unknown>): string {
  let path = '';
  for (const { key } of issue.path ?? [])
    path += typeof key === 'number' ? `[${key}]` : path === '' ? String(key) : `.${String(key)}`;
  return path;
}

/** Edits from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
