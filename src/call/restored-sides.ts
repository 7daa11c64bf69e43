import type { BridgeSide } from './bridge.js';
import type { CallContext } from './context.js';
import type { CallSnapshot, LegSnapshot } from './journal.js';

/**
 * Both sessions of a call of the journal, with their dialogs.
 * @throws whatever a record does that is none; no session is left then: half a call is none, and nobody would ever end it
 */
export function restoredSides(
  context: Pick<CallContext, 'dialogs'>,
  snapshot: CallSnapshot,
): { readonly inbound: BridgeSide; readonly outbound: BridgeSide } {
  const inbound = restored(context, snapshot.inbound);
  try {
    return { inbound, outbound: restored(context, snapshot.outbound) };
  } catch (error) {
    inbound.session.end();
    throw error;
  }
}

function restored({ dialogs }: Pick<CallContext, 'dialogs'>, { legId, session }: LegSnapshot): BridgeSide {
  return { legId, session: dialogs.restore(session) };
}
