import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { ModifyResult } from '../dialog/outgoing-modify.js';
import type { CallMedia } from './call-media.js';
import { inPlaceOf } from './described.js';
import { modifyStatusFor } from './outcome.js';

/** Whoever can be asked to change the session: an early or an established one. */
export interface Modifiable {
  modify(options: {
    readonly sdp?: string;
    readonly signal?: AbortSignal;
    readonly method?: 'INVITE' | 'UPDATE';
  }): Promise<ModifyResult>;
}

/** Which way a change passes, and what it passes through. */
export interface ExchangeWay {
  readonly media: CallMedia;
  readonly fromLeg: string;
  readonly toLeg: string;
  /** What both were told until now: streams keep their places in each dialog (RFC 3264 §8). Absent: they stand alike. */
  readonly told?: { readonly from: string | undefined; readonly to: string | undefined };
}

/**
 * Asks `to` what one side has asked, and answers that side with what comes back. A re-INVITE becomes a re-INVITE; an offer in
 * an UPDATE becomes an UPDATE where the other side allows it. Resolves to whether it was accepted.
 */
export async function passModify(modify: IncomingModify, to: Modifiable, way: ExchangeWay): Promise<boolean> {
  const { media, fromLeg, toLeg, told: before } = way;
  const there = { fromLeg, toLeg, seenAt: modify.source.remote.address };
  const back = { fromLeg: toLeg, toLeg: fromLeg };
  const offer =
    modify.sdp === undefined
      ? undefined
      : inPlaceOf(await media.offer({ sdp: modify.sdp, ...there }), before?.from, before?.to);
  const result = await to.modify({
    signal: modify.signal,
    method: modify.method === 'INVITE' ? 'INVITE' : 'UPDATE',
    ...(offer === undefined ? {} : { sdp: offer.offer }),
  });
  if (result.kind === 'ended') modify.reject(487);
  else if (result.kind === 'rejected') {
    const status = modifyStatusFor(result.status);
    modify.reject(status, status === result.status ? result.reason : undefined);
  }
  if (result.kind !== 'accepted') return false;
  if (offer !== undefined) {
    const answer = result.sdp === undefined ? undefined : offer.answer(result.sdp);
    void modify.accept(answer === undefined ? undefined : await media.answer({ sdp: answer, ...back }));
    return true;
  }
  // The peer asked for an offer: the other side's offer goes out in the 200, its answer comes back in the ACK.
  let told: string | undefined;
  try {
    const offered =
      result.sdp === undefined
        ? undefined
        : inPlaceOf(await media.offer({ sdp: result.sdp, ...back }), before?.to, before?.from);
    const answer = await modify.accept(offered?.offer);
    const placed = answer === undefined ? undefined : offered?.answer(answer);
    told = placed === undefined ? undefined : await media.answer({ sdp: placed, ...there });
  } finally {
    // Whatever has failed here: the 200 of the other side is acknowledged.
    result.acknowledge(told);
  }
  return true;
}
