export type { MediaEngine, MediaExchange, MediaStats, StreamStats } from './media-engine.js';
export { MediaError } from './media-error.js';
export type { MediaEvents, OneWayCause } from './media-events.js';
export { PassThroughEngine } from './pass-through-engine.js';
export { type PortPair, PortPool, type PortPoolOptions, type PortPoolStats, type PortRange } from './port-pool.js';
export { MediaRelay, type MediaRelayOptions, type MediaRelayStats } from './relay/media-relay.js';
export type { MediaTimeouts } from './relay/pair-watch.js';
export type { RelayCounters } from './relay/relay-counters.js';
export type { LearningRule } from './relay/source-latch.js';
