import { UsageError } from '../base/errors.js';
import type { SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { Uri } from '../protocol/sip/uri.js';

/** The Contact's URI. The layer has refused requests whose Contact cannot be read; a response's is then passed over. */
export function contactUri(message: SipMessage): Uri | undefined {
  const contact = readable(() => message.headers.get('Contact'));
  return contact === undefined || contact === '*' ? undefined : contact[0]?.uri;
}

/** Record-Route in reverse: the route set of the caller's side (RFC 3261 §12.1.2). */
export function routeSetOf(response: SipResponse): readonly NameAddr[] {
  return [...(readable(() => response.headers.get('Record-Route')) ?? [])].reverse();
}

/** The Allow of a message as it was told, several fields as one (RFC 3261 §7.3.1); undefined: it has none. */
export function allowOf(message: SipMessage): string | undefined {
  const fields = message.headers.raw('Allow');
  return fields.length > 1 ? fields.join(',') : fields[0];
}

/**
 * The Contact that a request of ours has told: where the peer sends what it sends in the dialog (RFC 3261 §12.1.2).
 * @throws UsageError PBX_INVALID_ARGUMENT when it has none
 */
export function ownContact(request: SipRequest): NameAddr {
  const contact = request.headers.get('Contact');
  const first = contact === undefined || contact === '*' ? undefined : contact[0];
  if (first === undefined) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `the ${request.method} that opens a dialog has no Contact: give it one`,
    );
  }
  return first;
}
