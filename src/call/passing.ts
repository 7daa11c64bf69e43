import type { HeaderInit, SipMessage } from '../protocol/sip/message.js';

/**
 * What passes from one leg to the other besides the session description and the parties' identity. Everything else is
 * generated anew for each leg: a B2BUA copies nothing that it does not know.
 */
const FROM_INVITE_TO_PHONE = ['Subject', 'Priority', 'Accept-Language'] as const;
const FROM_PROVISIONAL = ['Reason'] as const;

/** Header fields of the caller's INVITE for the INVITE to a phone. */
export function passInvite(message: SipMessage): HeaderInit {
  return pick(message, FROM_INVITE_TO_PHONE);
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
