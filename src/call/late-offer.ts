import type { Answer } from '../dialog/outgoing-invite.js';
import type { CallLeg } from './call-leg.js';
import { asNewOffer, offersMedia } from './described.js';
import type { OutboundLeg } from './fork.js';
import { Join, type JoinContext, type JoinFailure } from './join.js';
import { placeholderOffer } from './placeholder-offer.js';

// A caller without an offer, and a trunk that must get one all the same (RFC 3725 is the model): the trunk is offered a stream that
// promises nothing; what it answers, the caller is offered in the 200; the answer in the caller's ACK goes to the trunk in a
// re-INVITE. See decision 0017.

/** What the INVITE to `leg` offers when the caller's offers nothing; undefined: it asks for an offer as well. */
export function placeholderFor({ target: { policy } }: OutboundLeg): string | undefined {
  return policy.peer === 'trunk' ? placeholderOffer(policy.codecs) : undefined;
}

/** A trunk's answer to the placeholder as the offer that the caller gets; undefined when it took no stream. */
export function answerAsOffer(answer: Answer): Answer | undefined {
  if (answer.sdp === undefined || !offersMedia(answer.sdp)) return undefined;
  return { ...answer, sdp: asNewOffer(answer.sdp, undefined), agreedEarly: false };
}

/** The caller's ACK has brought its answer: the trunk learns of it. Resolves to why it cannot be. */
export function passAnswerOn(context: JoinContext, trunk: CallLeg, caller: CallLeg, sdp: string): Promise<JoinFailure> {
  const told = caller.session.agreed?.local ?? '';
  return new Join(context, trunk).withAnswer(caller, told, sdp);
}
