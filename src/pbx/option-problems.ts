import type * as v from 'valibot';
import { problemsOf } from '../base/schema-problems.js';
import { PbxConfigError } from './config-error.js';

/** @throws PbxConfigError that lists every fault of `value` against the schema */
export function check(against: v.GenericSchema, value: unknown): void {
  const problems = problemsOf(against, value);
  if (problems.length > 0) throw new PbxConfigError(problems);
}
