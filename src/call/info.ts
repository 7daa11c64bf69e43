import type { InviteSession } from '../dialog/invite-session.js';
import type { MediaType } from '../protocol/sip/header/media-type.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';

/**
 * The bodies of an INFO that pass to the other leg, in the way in which phones used INFO before RFC 6086: digits (two forms
 * that vendors made), and the wish for a fresh picture (RFC 5168).
 */
const PASSED = ['application/dtmf-relay', 'application/dtmf', 'application/media_control+xml'] as const;

/** More than any digit or picture request needs. */
const MAX_BODY_BYTES = 4096;

/**
 * Passes an INFO to the other leg and answers it with what comes back. No Info Package is served (RFC 6086 §4.2.2: 469); an
 * INFO without a body only asks whether the call lives; any other body gets 415.
 */
export function passInfo(incoming: IncomingRequest, to: InviteSession): void {
  const { request } = incoming;
  if (request.headers.has('Info-Package')) {
    incoming.respond(469, { reason: 'Bad Info Package', headers: { 'Recv-Info': '' } });
    return;
  }
  if (request.body.length === 0) return void incoming.respond(200);
  const type = readable(() => request.headers.get('Content-Type'));
  const contentType = type === undefined ? undefined : passedType(type);
  if (contentType === undefined) return void incoming.respond(415, { headers: { Accept: PASSED.join(', ') } });
  if (request.body.length > MAX_BODY_BYTES) return void incoming.respond(413);
  void to.request('INFO', { body: request.body, contentType }).then((result) => {
    if (incoming.answered) return;
    // What the other side wants of our own credentials is not the sender's business.
    const status = result.kind === 'response' ? result.response.status : 480;
    incoming.respond(status === 401 || status === 407 ? 500 : status);
  });
}

function passedType({ type, subtype }: MediaType): string | undefined {
  const name = `${type}/${subtype}`.toLowerCase();
  return PASSED.find((each) => each === name);
}
