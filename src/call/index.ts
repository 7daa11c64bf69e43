export type { MediaPolicy } from './call-media.js';
export type { CallRecord, LegOutcome, LegRecord, ReleasedBy, TransferRecord } from './call-record.js';
export { type CallEvents, CallService, type CallServiceOptions } from './call-service.js';
export type { LiveCall } from './context.js';
export type {
  CallControl,
  CallControlEvents,
  CollectDigitsOptions,
  DialOptions,
  Heard,
} from './control/call-control.js';
export type { DialOutcome } from './control/dial-outcome.js';
export { type CallHandler, HandledCall, type HandledCallParts } from './handled-call.js';
export type { CallJournal, CallSnapshot, LegSnapshot } from './journal.js';
export type { MediaMoveResult } from './media-move.js';
export type { MediaDecision } from './media-path.js';
export type { Destination, RouteContext, Router } from './route.js';
export type { TransferAttempt } from './transfer-host.js';
