import type { TenantId } from '../base/tenant.js';

interface OutboxMailEvent {
  readonly tenantId: TenantId;
  /** The mail's, as `add` has resolved to. */
  readonly id: string;
  /** The recipient; a mail to several is told for each. */
  readonly to: string;
  readonly subject: string;
}

/** What becomes of mail in an outbox. For one recipient the events come in the order in which things happened. */
export interface OutboxEvents {
  /** A server has taken it. */
  'mail.sent': OutboxMailEvent & {
    /** How often it was tried, this time included. */
    readonly attempts: number;
  };
  /** Not taken, for a reason of its own; it is tried again. */
  'mail.delayed': OutboxMailEvent & { readonly attempts: number; readonly reason: string; readonly retryInMs: number };
  /**
   * It is in the outbox no more and was not delivered. `refused`: the server will never take it. `expired`: its last deadline has passed.
   * `lost`: what was stored of it cannot be read.
   */
  'mail.dropped': OutboxMailEvent & {
    readonly cause: 'refused' | 'expired' | 'lost';
    /** For people. Never holds a secret. */
    readonly reason: string;
  };
  /** No mail can be sent now, whoever it is for: the server is away, or refuses us. All of it waits, and one mail at a time tries again. */
  'outbox.paused': { readonly reason: string; readonly retryInMs: number; readonly waiting: number };
}
