import { ConfigError, type ConfigProblem } from '../base/config-error.js';

/** The options cannot be used (PBX_CONFIG_INVALID); `problems` lists every fault, the message as well. */
export class PbxConfigError extends ConfigError {
  constructor(problems: readonly ConfigProblem[]) {
    super('PBX_CONFIG_INVALID', 'options', problems);
  }
}
