export type { CallRecord, LegOutcome, LegRecord, ReleasedBy, TransferRecord } from './call-record.js';
export { type CallEvents, CallService, type CallServiceOptions } from './call-service.js';
export type { LiveCall } from './context.js';
export { type CallHandler, HandledCall, type HandledCallParts } from './handled-call.js';
export type { CallJournal, CallSnapshot, LegSnapshot } from './journal.js';
export type { Destination, RouteContext, Router } from './route.js';
export type { TransferAttempt } from './transfer-host.js';
