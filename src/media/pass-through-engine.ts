import type { MediaEngine, MediaExchange, MediaStats } from './media-engine.js';

const NOTHING_SEEN: MediaStats = { path: 'direct', streams: [] };

/** Media goes end to end: session descriptions pass untouched, whatever codecs and streams they hold. */
export class PassThroughEngine implements MediaEngine {
  offer(exchange: MediaExchange): Promise<string> {
    return Promise.resolve(exchange.sdp);
  }

  answer(exchange: MediaExchange): Promise<string> {
    return Promise.resolve(exchange.sdp);
  }

  delete(): Promise<MediaStats> {
    return Promise.resolve(NOTHING_SEEN);
  }

  stats(): Promise<MediaStats> {
    return Promise.resolve(NOTHING_SEEN);
  }
}
