import { readable } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { DialogContext } from './context.js';
import type { EarlySession } from './early-session.js';
import { IncomingModify } from './incoming-modify.js';
import type { ReliableProvisionals } from './reliable-provisional.js';
import { sessionDescription } from './session-body.js';

interface Parts {
  readonly context: DialogContext;
  readonly early: EarlySession;
  readonly provisionals: ReliableProvisionals;
}

/**
 * A PRACK of the caller (RFC 3262 §3, §5): 481 when nothing waits for it. The answer to an offer of ours is in it, or a new
 * offer, which the owner answers in the 200; one that is refused leaves the response unacknowledged (RFC 6337 §2.3).
 */
export function receivePrack(incoming: IncomingRequest, { context, early, provisionals }: Parts): void {
  const { request } = incoming;
  const rack = readable(() => request.headers.get('RAck'));
  if (rack === undefined) return void incoming.respond(400, { reason: 'Missing RAck' });
  const named = provisionals.match(rack);
  if (named === undefined) return void incoming.respond(481);
  const sdp = sessionDescription(request);
  const { negotiation } = early;
  const acknowledge = (): void => {
    if (named.told !== 'nothing') early.settle();
    provisionals.acknowledge();
  };
  if (named.told === 'offer') {
    incoming.respond(200);
    if (sdp === undefined) negotiation.withdraw();
    else negotiation.answered(sdp);
    acknowledge();
    early.onAcknowledged(sdp);
  } else if (sdp === undefined) {
    incoming.respond(200);
    acknowledge();
  } else if (negotiation.open !== 'nobody' || negotiation.agreed === undefined) {
    incoming.respond(491);
  } else {
    early.onPrackOffer(
      new IncomingModify({
        incoming,
        contact: undefined,
        allow: context.allow,
        negotiation,
        onSettled: (accepted) => {
          if (accepted) acknowledge();
        },
      }),
    );
  }
}
