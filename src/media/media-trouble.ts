import type { TypedEmitter } from '../base/events.js';
import type { TenantId } from '../base/tenant.js';
import type { MediaEvents, OneWayCause } from './media-events.js';

/** After how long without packets something is told, in milliseconds. */
export interface MediaTimeouts {
  /** Of one party, while the other's packets come. Default 5,000. */
  readonly oneWayMs: number;
  /** Of both parties of a call. Default 300,000. With rtpengine its own `timeout`, which ends the call there, should be longer. */
  readonly callMs: number;
  /** Of both parties while one has put the other on hold. Default 1,800,000. With rtpengine its `silent-timeout` should be longer. */
  readonly holdMs: number;
}

export const DEFAULT_MEDIA_TIMEOUTS: MediaTimeouts = { oneWayMs: 5_000, callMs: 300_000, holdMs: 1_800_000 };

/** What an engine has noticed of a pair of legs. */
export type MediaTrouble =
  | {
      readonly kind: 'oneWay';
      readonly silentLeg: string;
      readonly deafLeg: string;
      /** The index of the m= line. */
      readonly stream: number;
      readonly cause: OneWayCause;
    }
  | { readonly kind: 'lost'; readonly state: 'call' | 'hold'; readonly silentMs: number };

/** Whose media it is. */
interface TroubledPair {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly legs: readonly [string, string];
}

/** Tells what was noticed, as `media.oneWay` or `media.lost`. */
export function tellTrouble(
  emitter: TypedEmitter<MediaEvents>,
  { tenantId, callId, legs }: TroubledPair,
  trouble: MediaTrouble,
): void {
  if (trouble.kind === 'lost') {
    const { state, silentMs } = trouble;
    emitter.emit('media.lost', { tenantId, callId, legs, state, silentMs });
    return;
  }
  const { silentLeg, deafLeg, stream, cause } = trouble;
  emitter.emit('media.oneWay', { tenantId, callId, silentLeg, deafLeg, stream, cause });
}
