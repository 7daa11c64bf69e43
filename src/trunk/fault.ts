/**
 * Why a line has no registration. `wrong-password`: the last word was 401 or 407. `stranger`: a challenge came from an address that is
 * not the line's server, or named a realm that is not the line's; it got no answer. `forbidden`: 403. `refused`: another final
 * answer that says no. `busy`: the server cannot now (5xx, 408). `timeout`: nobody answered. `unreachable`: it could not be sent.
 */
export type LineFaultKind =
  | 'wrong-password'
  | 'stranger'
  | 'forbidden'
  | 'refused'
  | 'busy'
  | 'timeout'
  | 'unreachable';

/** What went wrong with a line, as plain data: it is stored with a suspended line and told in its events. */
export interface LineFault {
  readonly kind: LineFaultKind;
  /** The final status, if there was one. */
  readonly status?: number;
  /** The same for people. Never holds a secret. */
  readonly text: string;
}

/** A refusal is the carrier's word about this account; the others are about the way to it and pass by themselves. */
export function isRefusal({ kind }: LineFault): boolean {
  return kind === 'wrong-password' || kind === 'stranger' || kind === 'forbidden' || kind === 'refused';
}
