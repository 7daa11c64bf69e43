export type { MediaEngine, MediaExchange, MediaStats, StreamStats } from './media-engine.js';
export type { MediaEvents, OneWayCause } from './media-events.js';
