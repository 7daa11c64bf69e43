import type { CallLeg } from './call-leg.js';
import type { CallRecord } from './call-record.js';
import type { CallContext } from './context.js';
import type { CallSnapshot, LegSnapshot } from './journal.js';

/**
 * Both sessions of a call of the journal, with their dialogs.
 * @throws whatever a record does that is none; no session is left then: half a call is none, and nobody would ever end it
 */
export function restoredSides(
  context: Pick<CallContext, 'dialogs' | 'credentialsFor'>,
  snapshot: CallSnapshot,
): { readonly inbound: CallLeg; readonly outbound: CallLeg } {
  const inbound = restored(context, snapshot.record, snapshot.inbound);
  try {
    return { inbound, outbound: restored(context, snapshot.record, snapshot.outbound) };
  } catch (error) {
    inbound.session.end();
    throw error;
  }
}

function restored(
  { dialogs, credentialsFor }: Pick<CallContext, 'dialogs' | 'credentialsFor'>,
  record: CallRecord,
  { legId, party, session }: LegSnapshot,
): CallLeg {
  const { number = '', via } = record.legs.find((leg) => leg.id === legId) ?? {};
  const credentials = via === undefined ? undefined : credentialsFor(record.tenantId, via);
  return { legId, party: party ?? { number }, session: dialogs.restore(session, credentials) };
}
