import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import type { DialogId } from './dialog.js';

/**
 * Whether a Replaces names this dialog of ours (RFC 3891 §3): its to-tag is our tag, its from-tag the peer's. A tag of
 * "0" stands for none, which no dialog here has.
 */
export function replacesDialog(replaces: Replaces, { callId, localTag, remoteTag }: DialogId): boolean {
  return replaces.callId === callId && replaces.toTag === localTag && replaces.fromTag === remoteTag;
}

/**
 * The Replaces of an INVITE; undefined when it has none.
 * @throws SipParseError when it stands twice, cannot be read, or stands together with Join (RFC 3891 §3: 400)
 */
export function replacesOf(request: SipRequest): Replaces | undefined {
  const { headers } = request;
  const replaces = headers.get('Replaces');
  if (replaces !== undefined && headers.has('Join')) {
    throw new SipParseError('Replaces and Join in one INVITE', { header: 'Replaces' });
  }
  return replaces;
}
