import { ConfigError, type ConfigProblem } from '../base/config-error.js';

/** The rules make no dial plan (DIALPLAN_INVALID); `problems` lists every fault, the message as well. */
export class DialPlanError extends ConfigError {
  constructor(problems: readonly ConfigProblem[]) {
    super('DIALPLAN_INVALID', 'dial plan', problems);
  }
}
