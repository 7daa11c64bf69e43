import type { CallLeg } from './call-leg.js';
import type { CallContext } from './context.js';
import type { TransferHost } from './transfer-host.js';

/** What a transfer under way needs, whatever its kind. */
export interface TransferParts {
  readonly context: CallContext;
  readonly host: TransferHost;
  readonly leaving: CallLeg;
  readonly stays: CallLeg;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
  /** What must be undone at once then, so that it stands in the record of the call. */
  readonly onCancelled: (undo: () => void) => void;
  /** Tells the transferor of a provisional response. */
  readonly progress: (status: number, reason: string) => void;
}

/** How a transfer went: 200, or the status that the transferor is told. */
export interface TransferResult {
  readonly status: number;
  readonly reason: string;
}

export const TRANSFERRED: TransferResult = { status: 200, reason: 'OK' };
export const TERMINATED: TransferResult = { status: 487, reason: 'Request Terminated' };
