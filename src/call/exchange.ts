import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { ModifyResult } from '../dialog/outgoing-modify.js';
import type { CallMedia } from './call-media.js';
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
}

/**
 * Asks `to` what one side has asked, and answers that side with what comes back. A re-INVITE becomes a re-INVITE; an offer in
 * an UPDATE becomes an UPDATE where the other side allows it. Resolves to whether it was accepted.
 */
export async function passModify(modify: IncomingModify, to: Modifiable, way: ExchangeWay): Promise<boolean> {
  const { media, fromLeg, toLeg } = way;
  const there = { fromLeg, toLeg, seenAt: modify.source.remote.address };
  const back = { fromLeg: toLeg, toLeg: fromLeg };
  const offer = modify.sdp === undefined ? undefined : await media.offer({ sdp: modify.sdp, ...there });
  const result = await to.modify({
    signal: modify.signal,
    method: modify.method === 'INVITE' ? 'INVITE' : 'UPDATE',
    ...(offer === undefined ? {} : { sdp: offer }),
  });
  if (result.kind === 'ended') modify.reject(487);
  else if (result.kind === 'rejected') {
    const status = modifyStatusFor(result.status);
    modify.reject(status, status === result.status ? result.reason : undefined);
  }
  if (result.kind !== 'accepted') return false;
  if (modify.sdp !== undefined) {
    void modify.accept(result.sdp === undefined ? undefined : await media.answer({ sdp: result.sdp, ...back }));
    return true;
  }
  // The peer asked for an offer: the other side's offer goes out in the 200, its answer comes back in the ACK.
  let told: string | undefined;
  try {
    const offered = result.sdp === undefined ? undefined : await media.offer({ sdp: result.sdp, ...back });
    const answer = await modify.accept(offered);
    told = answer === undefined ? undefined : await media.answer({ sdp: answer, ...there });
  } finally {
    // Whatever has failed here: the 200 of the other side is acknowledged.
    result.acknowledge(told);
  }
  return true;
}
