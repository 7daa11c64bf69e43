import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { Lease } from '../ua/target.js';
import type { MediaPolicy } from './call-media.js';
import type { CallRecord, LegRecord, TransferRecord } from './call-record.js';
import type { MusicOnHold } from './hold-music.js';
import type { CallSnapshot } from './journal.js';
import type { TellingCall } from './readdress.js';
import type { Router } from './route.js';
import type { FoundDialog, TransferAttempt } from './transfer-host.js';

/** A call as its surroundings see it. */
export interface LiveCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly record: CallRecord;
  snapshot(): CallSnapshot | undefined;
}

/** What a call needs of its surroundings: made by the call service. */
export interface CallContext {
  readonly dialogs: DialogLayer;
  readonly router: Router;
  /** Absent: all media goes end to end. */
  readonly media: MediaPolicy | undefined;
  /** Absent: a hold is passed on, and the held party hears what the holder sends. */
  readonly music: MusicOnHold | undefined;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly random: Random;
  readonly noAnswerSeconds: number;
  /** The domain in From and To of the legs to phones. */
  domainOf(tenantId: TenantId): string;
  /** Whether a transfer, or taking somebody's place, is allowed. */
  mayTransfer(attempt: TransferAttempt): boolean;
  /** The dialog of ours that a Replaces names. */
  find(replaces: Replaces, tenantId: TenantId): FoundDialog | undefined;
  /** A place on a line or trunk for a leg of a restored call. */
  occupy(tenantId: TenantId, via: string, direction: LegRecord['direction']): Lease | undefined;
  /** What answers the challenges of a line or trunk to a restored call. */
  credentialsFor(tenantId: TenantId, via: string): CredentialSource | undefined;
  /** Two parties who talk have agreed on their media, at first or anew. */
  onAgreed(call: TellingCall): void;
  onRinging(call: LiveCall): void;
  onAnswered(call: LiveCall): void;
  /** A re-INVITE has changed what a restored call would need. */
  onChanged(call: LiveCall): void;
  onTransferred(call: LiveCall, transfer: TransferRecord): void;
  onEnded(call: LiveCall): void;
}
