import type { TransactionStats } from '../transaction/layer.js';
import type { TransportStats } from '../transport/layer.js';

/** What lives and what was turned away since the start, as plain data: the counters of docs/limits.md. */
export interface PbxStats {
  readonly transport: TransportStats;
  readonly transactions: TransactionStats;
  readonly dialogs: {
    /** Dialogs of calls: two for each that is established. */
    readonly live: number;
    /** INVITEs that were sent and wait for their final response. */
    readonly pendingInvites: number;
  };
  readonly calls: { readonly live: number };
  readonly registrations: {
    /** Contacts that are registered now. */
    readonly bindings: number;
  };
}
