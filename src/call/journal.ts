import type { SessionSnapshot } from '../dialog/invite-session.js';
import type { CallMediaSnapshot } from './call-media.js';
import type { CallRecord } from './call-record.js';
import type { Party } from './party.js';

/** A leg of an established call, as plain data. */
export interface LegSnapshot {
  readonly legId: string;
  /** Who is at the far end; absent in snapshots of older versions: then somebody who may not transfer the call. */
  readonly party?: Party;
  readonly session: SessionSnapshot;
}

/** An established call, as plain data: enough to go on serving it in another process. */
export interface CallSnapshot {
  readonly record: CallRecord;
  readonly inbound: LegSnapshot;
  readonly outbound: LegSnapshot;
  /** How its media went; absent when all parties are set to `direct`. */
  readonly media?: CallMediaSnapshot;
}

/** Where established calls are written down, so that a restart does not lose them. */
export interface CallJournal {
  save(snapshot: CallSnapshot): Promise<void>;
  remove(tenantId: string, callId: string): Promise<void>;
  /** The calls that this node owns. */
  load(): Promise<readonly CallSnapshot[]>;
}
