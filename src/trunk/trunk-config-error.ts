import { ConfigError, type ConfigProblem } from '../base/config-error.js';

/** Lines, trunks or the options of their manager cannot be used (TRUNK_CONFIG_INVALID); `problems` lists every fault, the message as well. */
export class TrunkConfigError extends ConfigError {
  /** `whole`: what a problem without a path is about. */
  constructor(whole: string, problems: readonly ConfigProblem[]) {
    super('TRUNK_CONFIG_INVALID', whole, problems);
  }
}
