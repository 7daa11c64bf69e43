import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { Lease } from '../ua/target.js';
import type { Party } from './party.js';

/** Who calls whom. */
export interface CallIdentity {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled. */
  readonly called: string;
}

/** A new call. */
export interface CallStart extends CallIdentity {
  readonly invite: IncomingInvite;
  /** What the outbound legs are sent with. */
  readonly maxForwards: number;
  /** The place that the caller takes on its line or trunk. */
  readonly lease?: Lease;
}
