import { UsageError } from '../base/errors.js';

/** One thing in the rules that cannot be used. */
export interface RuleFault {
  /** Where: `called[2].transform`; empty for the rules as a whole. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/** The rules make no dial plan (DIALPLAN_INVALID); `problems` lists every fault, the message as well. */
export class DialPlanError extends UsageError {
  readonly problems: readonly RuleFault[];

  constructor(problems: readonly RuleFault[]) {
    super('DIALPLAN_INVALID', problems.map(describe).join('\n'));
    this.problems = problems;
  }
}

function describe({ path, found, expected }: RuleFault): string {
  return `${path === '' ? 'dial plan' : path}: found ${found}, expected ${expected}`;
}
