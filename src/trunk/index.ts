export type { TrunkCallOptions } from './call-options.js';
export type { TrunkEvents } from './events.js';
export type { LineFault, LineFaultKind } from './fault.js';
export type { InboundPeer } from './inbound.js';
export type { LineOptions } from './line-options.js';
export type { LineState } from './line-parts.js';
export {
  type AttemptFailure,
  failsOver,
  type Selected,
  type Selection,
  type SelectionStrategy,
  type SkipReason,
} from './selection.js';
export type { TrunkState } from './sip-trunk.js';
export {
  type LineStatus,
  type LinesAndTrunks,
  type SelectOptions,
  TrunkManager,
  type TrunkManagerOptions,
  type TrunkStatus,
} from './trunk-manager.js';
export type { TrunkOptions } from './trunk-options.js';
