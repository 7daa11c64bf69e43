export type { PeerTraits } from './allowed-formats.js';
export type { DialogContext, DialogUsage, SuccessTaker } from './context.js';
export {
  Dialog,
  type DialogId,
  type DialogRequestOptions,
  type DialogSnapshot,
  type DialogState,
  type DialogTarget,
} from './dialog.js';
export { DialogLayer, type DialogLayerOptions } from './dialog-layer.js';
export { type EarlyHandlers, EarlySession } from './early-session.js';
export {
  type Abandoned,
  type AcceptOptions,
  IncomingInvite,
  type ProgressOptions,
  type RejectOptions,
} from './incoming-invite.js';
export { IncomingModify } from './incoming-modify.js';
export {
  InviteSession,
  type RequestResult,
  type SessionEnd,
  type SessionHandlers,
  type SessionSnapshot,
} from './invite-session.js';
export type { ModifyOptions } from './modifications.js';
export type { Agreed } from './negotiation.js';
export { type EventState, Notifier, type NotifierOptions, type SubscriptionSeconds } from './notifier.js';
export type { TerminationReason } from './notify-sender.js';
export {
  type Answer,
  type InviteFailure,
  OutgoingInvite,
  type OutgoingInviteHandlers,
  type OutgoingInviteOptions,
  type Progress,
} from './outgoing-invite.js';
export { type ModifyResult, OutgoingModify } from './outgoing-modify.js';
export type { DialogPolicies, SessionTimerPolicy } from './policies.js';
export { type ReferStatus, ReferSubscription } from './refer-subscription.js';

export { Subscriber, type SubscriberHandlers, type SubscriberOptions, type SubscriptionEnd } from './subscriber.js';
