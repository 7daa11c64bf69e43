import type { TenantId } from '../base/tenant.js';
import type { EventState } from '../dialog/notifier.js';
import type { TerminationReason } from '../dialog/notify-sender.js';
import type { Params } from '../protocol/sip/params.js';

/** Who wants to know what. */
export interface SubscribeRequest {
  readonly tenantId: TenantId;
  /** The extension that was authenticated. */
  readonly subscriber: string;
  /** The user part of the Request-URI: whose events; empty when it has none. */
  readonly resource: string;
  /** The parameters of Event. */
  readonly params: Params;
}

/** One subscription, for the package that serves it. Nothing of it does anything once the subscription is over. */
export interface Subscription {
  /** The state has changed: a NOTIFY leaves, unless one is under way; then it follows. */
  changed(): void;
  /** What was pending is allowed. */
  authorize(): void;
  terminate(reason: TerminationReason, retryAfterSeconds?: number): void;
}

/** What a package gives for a subscription that it takes. */
export interface EventSource {
  /** `pending`: somebody must still be asked, and nothing is told until then. Default `active`. */
  readonly authorization?: 'active' | 'pending';
  /** The state at this moment; `full` after each SUBSCRIBE. Undefined: nothing to tell. */
  state(full: boolean): EventState | undefined;
  /** The subscription is over. */
  onEnded?(): void;
}

/** A package's reason not to take a subscription: 403, 404 and the like. */
export interface SubscriptionRefusal {
  readonly status: number;
  readonly reason?: string;
}

/** An event package (RFC 6665 §7): dialog, presence, message-summary and others are made of this. */
export interface EventPackage {
  /** The name in Event; compared exactly. */
  readonly name: string;
  /** The media type of the bodies: a subscriber who accepts none of them gets 406. */
  readonly contentTypes: readonly string[];
  /** Shorter subscriptions get 423. Default 60, at most 3600. */
  readonly minSeconds?: number;
  /** Longer ones are cut to this. Default 3600. */
  readonly maxSeconds?: number;
  /** For subscribers that do not say. Default 3600. */
  readonly defaultSeconds?: number;
  /** Decides about a subscription. `subscription` may be kept, and used once this has returned. */
  open(request: SubscribeRequest, subscription: Subscription): EventSource | SubscriptionRefusal;
}
