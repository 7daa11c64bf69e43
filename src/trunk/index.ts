export type { TrunkEvents } from './events.js';
export type { LineState } from './external-line.js';
export type { LineFault, LineFaultKind } from './fault.js';
export type { LineOptions } from './line-options.js';
export { type LineStatus, type TrunkConfig, TrunkManager, type TrunkManagerOptions } from './trunk-manager.js';
