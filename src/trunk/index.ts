export { ConfigError, type ConfigProblem } from '../base/config-error.js';
export type { TrunkCallOptions } from './call-options.js';
export type { CarrierOptions } from './carrier-options.js';
export type { TrunkEvents } from './events.js';
export type { LineFault, LineFaultKind } from './fault.js';
export type { InboundPeer } from './inbound.js';
export type { LineOptions } from './line-options.js';
export type { LineState } from './line-parts.js';
export type { LinesAndTrunks } from './lines-and-trunks.js';
export type { TrunkManagerOptions } from './manager-options.js';
export {
  type AttemptFailure,
  failsOver,
  type Selected,
  type Selection,
  type SelectionStrategy,
  type SkipReason,
} from './selection.js';
export type { TrunkState } from './sip-trunk.js';
export { TrunkConfigError } from './trunk-config-error.js';
export {
  type LineStatus,
  type SelectOptions,
  TrunkManager,
  type TrunkStatus,
} from './trunk-manager.js';
export type { TrunkOptions } from './trunk-options.js';
