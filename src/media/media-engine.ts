import type { Events } from '../base/events.js';
import type { TenantId } from '../base/tenant.js';
import type { MediaEvents } from './media-events.js';
import type { MediaStats } from './media-stats.js';

/** Which way a session description goes: from one leg of a call to another. */
export interface MediaExchange {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly fromLeg: string;
  readonly toLeg: string;
  /** The description as `fromLeg` sent it. */
  readonly sdp: string;
  /**
   * The IP address that the signalling of `fromLeg` was seen to come from: besides the address in `sdp` the only one from
   * which its media may be learned (RFC 7362 §4). Absent: the description alone counts.
   */
  readonly fromAddress?: string;
  /** The IP address to which `toLeg` is called: decides which of our addresses it is told. */
  readonly toAddress?: string;
}

/**
 * What stands in the media path of calls. Session descriptions go in and come out; the call waits for it before each
 * one that leaves. Everything is plain data, so that an engine may live in another thread or on another machine.
 * Two legs that have exchanged descriptions are a pair of their own: a call that forks or is transferred has several.
 */
export interface MediaEngine {
  /** What the engine tells of its own accord; an engine that never does has none. */
  readonly events?: Events<MediaEvents>;
  /** An offer on its way to another leg; resolves to what that leg is told. */
  offer(exchange: MediaExchange): Promise<string>;
  /** The answer on its way back. */
  answer(exchange: MediaExchange): Promise<string>;
  /**
   * The call is over, or with `legId` that leg has left it: everything that was kept for it goes. Resolves to what was
   * counted of the whole call; deleting what is not known is no error.
   */
  delete(callId: string, legId?: string): Promise<MediaStats>;
  /** What is known of the call's media now. */
  stats(callId: string): Promise<MediaStats>;
}
