export type { MediaEngine, MediaExchange, MediaStats, StreamStats } from './media-engine.js';
export { PassThroughEngine } from './pass-through-engine.js';
