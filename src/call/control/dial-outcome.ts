/**
 * What became of calling somebody for the caller. `answered`: they have talked, for `talkMs`, and the call is over. Everything else:
 * nobody talks to the caller, who hears the server again. `status` and `reason` are what a caller would have been told.
 */
export type DialOutcome = { readonly kind: 'answered'; readonly number: string; readonly talkMs: number } | FailedDial;

/** Nobody has answered, or nobody could be joined with the caller. */
export interface FailedDial {
  readonly kind: 'busy' | 'no-answer' | 'rejected' | 'unreachable' | 'failed';
  readonly status: number;
  readonly reason: string;
}

/** Whom to call for the caller, and how. */
export interface DialRequest {
  readonly number: string;
  readonly noAnswerSeconds?: number;
  /** Fires when nobody waits for an answer any more. */
  readonly signal: AbortSignal;
  /** The caller is about to hear somebody else than the server. */
  readonly onHandOver: () => Promise<void>;
  /** Whether the caller hears what is sent before the answer. */
  readonly earlyMedia: boolean;
}

/**
 * `joined`: they talk, by the number that was called in the end. `handedOver`: the caller hears nobody now, because its media has gone
 * to somebody who did not answer.
 */
export type DialResult =
  | { readonly kind: 'joined'; readonly number: string }
  | { readonly kind: 'failed'; readonly outcome: FailedDial; readonly handedOver: boolean };
