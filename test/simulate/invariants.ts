import { formatUri } from '../../src/protocol/sip/uri.js';
import type { World } from '../../src/testing/world.js';
import type { Actor } from './actor.js';
import type { Server } from './server.js';

/** Every call has ended: with one record, one end for each of its legs, and nothing left anywhere. */
export function callFaults(world: World, server: Server, actors: readonly Actor[]): readonly string[] {
  const faults: string[] = [];
  faults.push(...leftInServer(server));
  for (const { plan, phone } of actors) {
    const { dialogs = 0, transactions = 0 } = phone?.busy ?? {};
    if (dialogs + transactions > 0)
      faults.push(`${plan.name} has ${dialogs} dialogs, ${transactions} transactions left`);
    for (const call of phone?.calls ?? [])
      if (call.state.kind !== 'ended') faults.push(`${plan.name} has a call that is still ${call.state.kind}`);
  }
  faults.push(...recordFaults(server));
  for (const line of world.log.lines('error'))
    faults.push(`logged as an error: ${line.text} ${String(line.fields['err'])}`);
  return faults;
}

function leftInServer({ pbx }: Server): readonly string[] {
  if (pbx === undefined) return ['the PBX is down'];
  const { calls, dialogs, transactions } = pbx.stats();
  const left = { calls: calls.live, dialogs: dialogs.live, 'pending INVITEs': dialogs.pendingInvites };
  const all = { ...left, 'client transactions': transactions.client, 'server transactions': transactions.server };
  return Object.entries(all).flatMap(([what, count]) => (count === 0 ? [] : [`the PBX has ${count} ${what} left`]));
}

function recordFaults({ started, lost, answered, records }: Server): readonly string[] {
  const faults: string[] = [];
  const ended = new Map<string, number>();
  // A transfer moves legs from one call to another.
  const transferred = records.some(({ transfers }) => transfers !== undefined);
  for (const { id, legs, endedAt, answeredAt, talkMs } of records) {
    ended.set(id, (ended.get(id) ?? 0) + 1);
    if (!started.has(id)) faults.push(`call ${id} ended and was never started`);
    if (endedAt === undefined) faults.push(`the record of call ${id} has no end`);
    if (legs.length === 0 || (legs[0]?.direction !== 'inbound' && !transferred))
      faults.push(`call ${id} has no inbound leg`);
    if (new Set(legs.map((leg) => leg.id)).size !== legs.length) faults.push(`call ${id} has two legs of one name`);
    for (const leg of legs) {
      const { outcome, endedAt: legEnd, releasedBy } = leg;
      if (outcome === undefined || legEnd === undefined || releasedBy === undefined)
        faults.push(`leg ${leg.id} of call ${id} has no end: ${JSON.stringify(leg)}`);
    }
    const both = legs.filter(({ outcome }) => outcome === 'answered').length;
    if ((answeredAt === undefined) !== (talkMs === 0) && talkMs > 0) faults.push(`call ${id} talked unanswered`);
    if (answered.has(id) && both !== 2 && !transferred) faults.push(`call ${id} was answered by ${both} legs`);
  }
  for (const [id, count] of ended) if (count > 1) faults.push(`call ${id} has ${count} records`);
  for (const id of started) if (!ended.has(id) && !lost.has(id)) faults.push(`call ${id} never ended`);
  return faults;
}

/** What the PBX has registered is what the phones believe, where they can know. */
export async function bindingFaults(
  world: World,
  server: Server,
  actors: readonly Actor[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  const now = world.clock.now();
  for (const { plan, phone, registration } of actors) {
    const { pbx } = server;
    if (phone === undefined || pbx === undefined) continue;
    const contact = formatUri(phone.contact.uri);
    const bindings = await world.run(() => pbx.bindings(plan.number));
    const there = bindings.some((binding) => binding.contact === contact);
    // An answer that came late makes the phone believe a little longer: not at the very edge.
    const expected =
      registration.kind === 'none'
        ? false
        : registration.kind === 'until' && Math.abs(registration.at - now) > 2000
          ? registration.at > now
          : undefined;
    if (expected !== undefined && expected !== there)
      faults.push(`${plan.name} believes it is ${expected ? '' : 'not '}registered, the PBX differs`);
  }
  return faults;
}
