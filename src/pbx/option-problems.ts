import type * as v from 'valibot';
import { accept } from '../base/schema-problems.js';
import { PbxConfigError } from './config-error.js';

/** @throws PbxConfigError that lists every fault of `value` against the schema */
export function check(against: v.GenericSchema, value: unknown): void {
  accept(against, value, (problems) => new PbxConfigError(problems));
}
