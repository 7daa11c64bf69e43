import type { HeaderInit, SipMessage } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { TargetPolicy } from '../ua/target.js';
import { passHistory } from './call-history.js';

/** Which side of the house a leg is on: a phone of an extension, or a peer of the trust domain such as a trunk. */
export type PeerSide = 'phone' | 'trunk';

interface PassedField {
  readonly name: string;
  /** Whose word is taken for it. */
  readonly from: readonly PeerSide[];
  /** Who is told. */
  readonly to: readonly PeerSide[];
}

const ANYBODY: readonly PeerSide[] = ['phone', 'trunk'];

/**
 * What passes of an INVITE from one leg to the other, besides the session description and the parties' identity.
 * Everything else is generated anew for each leg: a B2BUA copies nothing that it does not know, and so shows nothing of
 * the other leg's addresses and programs. A phone could claim any past for its call, so only a peer of the trust domain is
 * believed where a call was before (`passHistory`) and how it should ring (Alert-Info).
 */
const FROM_INVITE: readonly PassedField[] = [
  { name: 'Subject', from: ANYBODY, to: ['phone'] },
  { name: 'Priority', from: ANYBODY, to: ANYBODY },
  { name: 'Accept-Language', from: ANYBODY, to: ANYBODY },
  { name: 'User-to-User', from: ANYBODY, to: ANYBODY },
  { name: 'Alert-Info', from: ['trunk'], to: ['phone'] },
];
const FROM_PROVISIONAL = ['Reason'] as const;

/** Header fields of the caller's INVITE for the INVITE of an outbound leg; `diverted`: by whom it was sent on here. */
export function passInvite(
  message: SipMessage,
  from: PeerSide,
  policy: TargetPolicy,
  diverted: readonly NameAddr[] = [],
): HeaderInit {
  const names = FROM_INVITE.filter((field) => field.from.includes(from) && field.to.includes(policy.peer));
  const picked = pick(
    message,
    names.map(({ name }) => name),
  );
  const history = passHistory(from === 'trunk' ? message : undefined, policy, diverted);
  return Object.assign(picked, history);
}

/** Header fields of the callee's provisional response for the caller. */
export function passProgress(message: SipMessage): HeaderInit {
  return pick(message, FROM_PROVISIONAL);
}

/** A reason phrase for the other leg: short, and without control characters. */
export function passPhrase(phrase: string): string {
  return phrase.slice(0, 128).replace(/\p{Cc}/gu, ' ');
}

/** Reason header fields (RFC 3326) as they are passed with a BYE, CANCEL or final response. */
export function passReason(reason: readonly string[]): HeaderInit {
  return reason.length === 0 ? {} : { Reason: reason.join(', ') };
}

function pick(message: SipMessage, names: readonly string[]): HeaderInit {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const values = message.headers.raw(name);
    if (values.length > 0) picked[name] = values.join(', ');
  }
  return picked;
}
