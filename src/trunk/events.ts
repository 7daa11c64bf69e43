import type { TenantId } from '../base/tenant.js';
import type { LineFault } from './fault.js';

interface LineEvent {
  readonly tenantId: TenantId;
  readonly line: string;
}

interface TrunkEvent {
  readonly tenantId: TenantId;
  readonly trunk: string;
}

/** What lines and trunks tell. For one line the events come in the order in which things happened. */
export interface TrunkEvents {
  /** The line had no registration and has one now. A refresh tells nothing. */
  'line.registered': LineEvent & {
    /** What the registrar granted. */
    readonly expiresSeconds: number;
  };
  /** An attempt has failed; another follows. A registration that was there may still hold: `line.unregistered` tells its end. */
  'line.failed': LineEvent & { readonly fault: LineFault; readonly retryInMs: number };
  /** No further attempt follows until `resume`, or until the line gets other credentials. Stored before it is told. */
  'line.suspended': LineEvent & { readonly reason: LineFault };
  /** The registration has ended: nobody refreshed it in time, or the line was closed, changed or removed. */
  'line.unregistered': LineEvent & { readonly reason: 'expired' | 'closed' };
  /** The other side has answered OPTIONS: for the first time, or again. */
  'trunk.up': TrunkEvent;
  /** It has not, or said that it cannot serve. Calls go elsewhere until it does. */
  'trunk.down': TrunkEvent & {
    /** For people. */
    readonly cause: string;
  };
}
