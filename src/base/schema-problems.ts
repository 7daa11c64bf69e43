import * as v from 'valibot';
import type { ConfigProblem } from './config-error.js';
import { nearest } from './nearest.js';
import { isRecord, schemasAt } from './schema-walk.js';
import { show } from './show.js';

/** What the schema makes of the value. @throws what `refusal` makes of every fault that it has */
export function accept<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  refusal: (problems: readonly ConfigProblem[]) => Error,
): T {
  const result = v.safeParse(schema, value);
  if (!result.success) throw refusal(once(result.issues.flatMap((issue) => problemsIn(issue, [], schema))));
  return result.output;
}

/**
 * For a `v.pipe`: what a function finds in a value that has no fault so far, such as parts that contradict each other. Paths are those
 * inside of the value.
 */
export function furtherProblems<T>(find: (value: T) => readonly ConfigProblem[]): v.RawCheckAction<T> {
  return v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.issues !== undefined) return;
    for (const problem of find(dataset.value)) addIssue(told(problem));
  });
}

/** For the `addIssue` of a `v.rawCheck`: a problem in its own words. */
export function told(problem: ConfigProblem): { readonly message: string; readonly input: unknown } {
  return { message: problem.expected, input: new Told(problem) };
}

/** A problem on its way through valibot, which knows no `found`. */
class Told {
  constructor(readonly problem: ConfigProblem) {}
}

type Issue = v.BaseIssue<unknown>;
type Step = v.IssuePathItem;

/** `above`: the way to the value that the issue's own path begins at. */
function problemsIn(issue: Issue, above: readonly Step[], schema: v.GenericSchema): ConfigProblem[] {
  const steps = [...above, ...(issue.path ?? [])];
  const path = pathOf(steps);
  if (issue.input instanceof Told) return [{ ...issue.input.problem, path: joined(path, issue.input.problem.path) }];
  if (isUnknownKey(issue)) return unknownKeys(steps, schema, String(steps[steps.length - 1]?.key));
  const inner = insideOfUnion(issue, steps, schema);
  if (inner.length > 0) return inner.flatMap((each) => problemsIn(each, steps, schema));
  // A key that is not there, and not a value that is no object: both come from the object around them.
  const missing = issue.type === 'strict_object' && issue.path !== undefined && issue.expected !== 'Object';
  const found = missing ? 'nothing' : show(path, issue.input);
  const problem = { path, found, expected: missing ? 'a value' : issue.message };
  return isUndecided(issue) ? [problem, ...unknownKeys(steps, schema)] : [problem];
}

function isUnknownKey(issue: Issue): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never';
}

/** Of a variant whose deciding key is not there, perhaps because it is misspelled: no other key has been looked at. */
function isUndecided(issue: Issue): boolean {
  return issue.type === 'variant' && issue.path !== undefined && issue.input === undefined;
}

/** A union says only that nothing fitted; where one object alone could be meant, what is wrong inside of that says more. */
function insideOfUnion(issue: Issue, steps: readonly Step[], schema: v.GenericSchema): readonly Issue[] {
  if (issue.type !== 'union') return [];
  const objects = schemasAt(schema, steps, issue.input).filter((each) => entriesOf(each) !== undefined);
  return objects.length === 1 ? (issue.issues ?? []).filter(({ path }) => path !== undefined) : [];
}

/** Names that no option has, most often a slip of the pen. Valibot tells the first of an object alone, which is `first` here. */
function unknownKeys(steps: readonly Step[], schema: v.GenericSchema, first?: string): ConfigProblem[] {
  const around = steps.slice(0, -1);
  const object = steps[steps.length - 1]?.input;
  const schemas = schemasAt(schema, around, object);
  const known = [...new Set(schemas.flatMap((each) => Object.keys(entriesOf(each) ?? {})))];
  const unknown = new Set(first === undefined ? [] : [first]);
  for (const key of Object.keys(object ?? {})) if (!known.includes(key)) unknown.add(key);
  return [...unknown].map((key) => {
    const near = nearest(key, known);
    const expected = near === undefined ? `one of ${known.join(', ')}` : `"${near}"`;
    return { path: joined(pathOf(around), named(key)), found: 'an option that does not exist', expected };
  });
}

function entriesOf(schema: unknown): Record<string, unknown> | undefined {
  return isRecord(schema) && isRecord(schema['entries']) ? schema['entries'] : undefined;
}

function pathOf(steps: readonly Step[]): string {
  return steps.reduce((path, { key }) => joined(path, typeof key === 'number' ? `[${key}]` : named(String(key))), '');
}

/** A key that would not be told from the path around it, or would break the line, is quoted. */
function named(key: string): string {
  return /^[^\s.[\]"\p{Cc}]+$/u.test(key) ? key : `[${JSON.stringify(key)}]`;
}

function joined(path: string, rest: string): string {
  return path === '' || rest === '' || rest.startsWith('[') ? path + rest : `${path}.${rest}`;
}

/** A value may fail two checks that expect the same. */
function once(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
