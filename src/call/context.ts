import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import type { MediaEngine } from '../media/media-engine.js';
import type { CallRecord } from './call-record.js';
import type { CallSnapshot } from './journal.js';
import type { Router } from './route.js';

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
  readonly media: MediaEngine;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly noAnswerSeconds: number;
  /** The domain in From and To of the legs to phones. */
  domainOf(tenantId: TenantId): string;
  onRinging(call: LiveCall): void;
  onAnswered(call: LiveCall): void;
  /** A re-INVITE has changed what a restored call would need. */
  onChanged(call: LiveCall): void;
  onEnded(call: LiveCall): void;
}
