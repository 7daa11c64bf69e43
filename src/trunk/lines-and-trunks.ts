import * as v from 'valibot';
import type { ConfigProblem } from '../base/config-error.js';
import { told } from '../base/schema-problems.js';
import { isRecord } from '../base/schema-walk.js';
import { show } from '../base/show.js';
import { type LineOptions, lineSchema } from './line-options.js';
import { type TrunkOptions, trunkSchema } from './trunk-options.js';

/** The lines and trunks of one tenant; no two of one name. */
export interface LinesAndTrunks {
  readonly lines?: readonly LineOptions[];
  readonly trunks?: readonly TrunkOptions[];
}

/** The schemas of `LinesAndTrunks`, for options that hold both beside others; `namesOnce` belongs into the pipe of these. */
export const linesAndTrunksEntries = {
  lines: v.optional(v.array(lineSchema, 'a list of lines'), []),
  trunks: v.optional(v.array(trunkSchema, 'a list of trunks'), []),
} satisfies Record<keyof LinesAndTrunks, v.GenericSchema>;

/** For a `v.pipe` of options with `lines` and `trunks`: no two of one name, told beside other faults as well. */
export function namesOnce<T>(): v.RawCheckAction<T> {
  return v.rawCheck(({ dataset, addIssue }) => {
    for (const problem of sameNames(dataset.value)) addIssue(told(problem));
  });
}

export const linesAndTrunksSchema = v.pipe(
  v.strictObject(linesAndTrunksEntries, 'lines and trunks such as { lines: […], trunks: […] }'),
  namesOnce(),
);

function sameNames(options: unknown): ConfigProblem[] {
  const first = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const list of ['lines', 'trunks']) {
    const entries: unknown = isRecord(options) ? options[list] : undefined;
    for (const [i, entry] of (Array.isArray(entries) ? entries : []).entries()) {
      const name: unknown = isRecord(entry) ? entry['name'] : undefined;
      if (typeof name !== 'string') continue;
      const place = `${list}[${i}]`;
      const taken = first.get(name);
      const expected = `a name of its own: ${taken} has it already`;
      if (taken === undefined) first.set(name, place);
      else problems.push({ path: `${place}.name`, found: show('name', name), expected });
    }
  }
  return problems;
}
