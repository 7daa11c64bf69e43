import type { TenantId } from '../base/tenant.js';
import type { MediaStats } from './media-stats.js';

interface MediaEvent {
  readonly tenantId: TenantId;
  readonly callId: string;
}

/**
 * Why one party of an established call is not heard: `nothing-received`: no packet has come from it at all;
 * `wrong-source`: packets come, but from an address that is neither the described one nor that of its signalling.
 */
export type OneWayCause = 'nothing-received' | 'wrong-source';

/** What a media engine tells of its own accord. */
export interface MediaEvents {
  /** One party is heard and the other, who should be, is not. Once a stream and pair of legs, until that changes. */
  'media.oneWay': MediaEvent & {
    /** Whose packets do not come. */
    readonly silentLeg: string;
    /** Who hears nothing. */
    readonly deafLeg: string;
    /** The index of the m= line. */
    readonly stream: number;
    readonly cause: OneWayCause;
  };
  /** Nothing has come from either party of a pair for as long as is allowed in this state. Once, until packets come again. */
  'media.lost': MediaEvent & {
    readonly legs: readonly [string, string];
    readonly state: 'call' | 'hold';
    readonly silentMs: number;
  };
  /** The media of a call has ended: what was counted. */
  'media.stats': MediaEvent & { readonly stats: MediaStats };
}
