import type { TenantId } from '../base/tenant.js';

/** Which way a session description goes: from one leg of a call to another. */
export interface MediaExchange {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly fromLeg: string;
  readonly toLeg: string;
  /** The description as `fromLeg` sent it. */
  readonly sdp: string;
}

/**
 * What stands in the media path of calls. Session descriptions go in and come out; the call waits for it before each
 * one that leaves. Everything is plain data, so that an engine may live in another thread or on another machine.
 */
export interface MediaEngine {
  /** An offer on its way to another leg; resolves to what that leg is told. */
  offer(exchange: MediaExchange): Promise<string>;
  /** The answer on its way back. */
  answer(exchange: MediaExchange): Promise<string>;
  /** The call is over: everything that was kept for it goes. Resolves to what was counted. */
  delete(callId: string): Promise<MediaStats>;
  /** What is known of the call's media now. */
  stats(callId: string): Promise<MediaStats>;
}

/** What an engine has seen of a call's media. */
export interface MediaStats {
  /** `direct`: the media goes end to end and nothing was counted. */
  readonly path: 'direct' | 'relay';
  readonly streams: readonly StreamStats[];
}

export interface StreamStats {
  readonly legId: string;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
}
