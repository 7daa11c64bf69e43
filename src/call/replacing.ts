import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { CallContext } from './context.js';
import { contactUserOf } from './identity.js';
import type { Party } from './party.js';
import { Replacement } from './replacement.js';

/**
 * Serves an INVITE with Replaces of an authenticated caller (RFC 3891 §3, §4): answers it now, or begins to put the caller
 * in the place of the party whose dialog is named.
 * @throws SipParseError when a header that opens the dialog is malformed
 */
export function serveReplaces(
  context: CallContext,
  incoming: IncomingRequest,
  replaces: Replaces,
  caller: Party,
): void {
  const { callId, toTag, fromTag, earlyOnly } = replaces;
  const found = context.find(replaces, incoming.tenantId);
  if (found === undefined) {
    const ended = context.dialogs.endedLately({ callId, localTag: toTag, remoteTag: fromTag });
    incoming.respond(ended ? 603 : 481);
    return;
  }
  if (found.kind !== 'talking') {
    // §3: an early dialog that this side did not initiate cannot be replaced; nor can a party that the server itself talks to.
    incoming.respond(481);
    return;
  }
  if (earlyOnly) {
    incoming.respond(486);
    return;
  }
  const { call } = found;
  const attempt = {
    tenantId: call.tenantId,
    callId: call.id,
    kind: 'replaced',
    by: caller,
    to: caller.number,
  } as const;
  if (caller.extension === undefined || !context.mayTransfer(attempt)) {
    incoming.respond(403);
    return;
  }
  if (!call.live) {
    incoming.respond(603);
    return;
  }
  const invite = context.dialogs.receive(incoming, contactUserOf(found.other.party));
  if (!new Replacement({ context, invite, party: caller, found }).begin()) invite.reject({ status: 491 });
}
