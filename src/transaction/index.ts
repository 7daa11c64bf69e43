export type { ClientEffect, ServerEffect } from './effects.js';
export { InviteClientMachine, type InviteClientState } from './invite-client.js';
export { InviteServerMachine, type InviteServerState } from './invite-server.js';
export {
  type ClientHandlers,
  type ClientTransaction,
  type SentAck,
  type SentResponse,
  type ServerTransaction,
  type TransactionHandlers,
  TransactionLayer,
  type TransactionLayerOptions,
  type TransactionLimits,
  type TransactionStats,
  type TransactionTransport,
} from './layer.js';
export { NonInviteClientMachine, type NonInviteClientState } from './non-invite-client.js';
export { NonInviteServerMachine, type NonInviteServerState } from './non-invite-server.js';
export { NON_INVITE_TRYING_AFTER, T1, T2, T4, TIMER_D, TRANSACTION_TIMEOUT, TRYING_AFTER } from './timers.js';
