import type { PhoneCall } from '../../src/testing/phone-call.js';
import { type SipSighting, sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';

/** 64·T1: timers B and F, in milliseconds. */
const GIVEN_UP_MS = 32_000;

/** The end of a call that is looked at; an `Actor`. */
export interface Holder {
  readonly machine: { readonly name: string };
  readonly calls: readonly PhoneCall[];
}

/**
 * The calls that came to a phone, have not ended there, and that no RFC lets the PBX end: only the person at the phone
 * can. Two things bring them about. The BYE or CANCEL was sent until its timer ran out and not one copy reached the phone,
 * because its NAT box had forgotten it meanwhile: the PBX then considers the call over (RFC 3261 §15.1.1, §9.1). Or the
 * INVITE itself came after timer B had given it up, out of a connection that had stalled: without a provisional response
 * in time no CANCEL may be sent (§9.1), and what the phone says later matches no transaction (§17.1.1.2, §18.1.2).
 *
 * A phone that was not told of the end although it could be is not among them: that is a fault.
 */
export function strandedCalls(world: World, holders: readonly Holder[]): readonly PhoneCall[] {
  const left = holders.flatMap(({ machine, calls }) =>
    calls.filter(({ direction }) => direction === 'in').map((call) => ({ call, host: machine.name })),
  );
  if (left.length === 0) return [];
  const seen = sipSightings(world.trace);
  return left.filter(({ call, host }) => unreachable(call, host, seen)).map(({ call }) => call);
}

function unreachable(call: PhoneCall, host: string, all: readonly SipSighting[]): boolean {
  const { callId } = call.invite.request;
  const seen = all.filter((each) => each.callId === callId);
  const told = seen.filter(({ method, fromHost }) => fromHost !== host && (method === 'BYE' || method === 'CANCEL'));
  if (told.length > 0) return !told.some(({ toHost, arrivedAt }) => toHost === host && arrivedAt !== undefined);
  if (call.state.kind !== 'ringing') return false;
  const asked = seen.find(({ method, toHost }) => method === 'INVITE' && toHost === host);
  const said = seen.find(({ fromHost }) => fromHost === host);
  return asked !== undefined && said !== undefined && said.at - asked.at > GIVEN_UP_MS;
}
