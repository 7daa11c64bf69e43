/**
 * What became of calling somebody for the caller. `answered`: they have talked, for `talkMs`, and the call is over. Everything else:
 * nobody talks to the caller, who hears the server again. `status` and `reason` are what a caller would have been told.
 */
export type DialOutcome =
  | { readonly kind: 'answered'; readonly number: string; readonly talkMs: number }
  | {
      readonly kind: 'busy' | 'no-answer' | 'rejected' | 'unreachable' | 'failed';
      readonly status: number;
      readonly reason: string;
    };
