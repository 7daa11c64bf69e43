import { type ErrorCode, UsageError } from './errors.js';

/** One thing in options, rules or a configuration file that cannot be used. */
export interface ConfigProblem {
  /** Where: `extensions[2].password`; empty for the whole. */
  readonly path: string;
  /** Never a secret. */
  readonly found: string;
  readonly expected: string;
}

/** What was given to compose something cannot be used; `problems` lists every fault, and the message has a line for each. */
export class ConfigError extends UsageError {
  readonly problems: readonly ConfigProblem[];

  /** `whole`: what a problem without a path is about. */
  constructor(code: ErrorCode, whole: string, problems: readonly ConfigProblem[]) {
    super(code, problems.map((problem) => describe(problem, whole)).join('\n'));
    this.problems = problems;
  }
}

function describe({ path, found, expected }: ConfigProblem, whole: string): string {
  return `${path === '' ? whole : path}: found ${found}, expected ${expected}`;
}
