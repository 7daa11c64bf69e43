import type { CallStats } from '../call/call-service.js';
import type { DiscoveredAddress } from '../nat/discovery.js';
import type { StunServerStats } from '../nat/stun-server.js';
import type { RegistrarStats } from '../registrar/registrar.js';
import type { RateLimitStats } from '../security/rate-limit.js';
import type { TransactionStats } from '../transaction/layer.js';
import type { TransportStats } from '../transport/layer.js';
import type { RequestStats } from '../ua/request-chain.js';
import type { PbxMediaStats } from './pbx-media.js';

/** What lives and what was turned away since the start, as plain data: the counters of docs/limits.md. */
export interface PbxStats {
  readonly transport: TransportStats;
  readonly transactions: TransactionStats;
  /** Requests that wait for a directory, a store or a router. */
  readonly requests: RequestStats;
  readonly dialogs: {
    /** Dialogs of calls, early ones included: two for each that is established. */
    readonly live: number;
    /** INVITEs that were sent and wait for their final response. */
    readonly pendingInvites: number;
    /** Early dialogs of INVITEs that came in. */
    readonly early: number;
    /** Provisional responses that were not passed on because there were too many early dialogs. */
    readonly refusedEarly: number;
  };
  readonly calls: CallStats;
  readonly registrations: RegistrarStats;
  readonly nonces: {
    /** Nonces whose counts are remembered. */
    readonly live: number;
    /** Counts that were forgotten to make room. */
    readonly forgotten: number;
  };
  /** Absent without `limits.rate`. */
  readonly rate?: RateLimitStats;
  readonly media: PbxMediaStats;
  /** The STUN server; absent without `stun`. */
  readonly stun?: StunServerStats;
  /** What STUN servers said of our sockets; absent while nothing is known. */
  readonly externalAddresses?: readonly DiscoveredAddress[];
}
