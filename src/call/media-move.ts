import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { CallLeg } from './call-leg.js';
import type { CallMedia } from './call-media.js';
import { Join, type JoinFailure } from './join.js';
import type { MediaDecision } from './media-path.js';

/** What became of a wish to move a call's media; `status` and `reason`: as the party that refused has said it, or 481 and 487. */
export type MediaMoveResult =
  | { readonly moved: true }
  | { readonly moved: false; readonly status: number; readonly reason: string };

export interface MediaMove {
  readonly media: CallMedia;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Fires when the call is over. */
  readonly signal: AbortSignal;
  readonly inbound: CallLeg;
  readonly outbound: CallLeg;
}

/**
 * The media of a call under way goes by another path from now on: both parties learn of it by a re-INVITE each. Resolves to why
 * it could not be, and rejects if the engine fails; everything is as it was then.
 */
export async function moveMedia(move: MediaMove, decision: MediaDecision): Promise<JoinFailure> {
  const { inbound, outbound, ...context } = move;
  const undo = move.media.choose(decision);
  const before = inbound.session.agreed?.local;
  const join = new Join(context, inbound);
  let failed: JoinFailure;
  try {
    failed = await join.withEstablished(outbound);
  } catch (error) {
    undo();
    await join.restore(inbound, before);
    throw error;
  }
  if (failed === undefined) {
    move.media.settle();
    return undefined;
  }
  undo();
  await join.restore(inbound, before);
  return failed;
}
