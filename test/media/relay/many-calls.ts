import type { SocketAddress } from '../../../src/base/ip.js';
import type { MediaRelay } from '../../../src/media/relay/media-relay.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { createWorld } from '../../../src/testing/world.js';
import { Endpoint, exchangeOf, type Party, placeIn, relayIn } from './support.js';

/** What a run has seen, so that a test can tell that it was no walk through empty rooms. */
export interface ManyCalls {
  readonly calls: number;
  readonly answered: number;
  readonly cancelled: number;
  readonly refused: number;
  readonly crashed: number;
  readonly relayed: number;
  readonly mostPortsUsed: number;
  /** Everything that is still there at the end, one line each. */
  readonly left: readonly string[];
}

const AT_ONCE = 50;

/** Calls of random kinds, fifty at a time, over virtual sockets; the same seed makes the same calls. */
export async function runManyCalls(calls: number, seed: number | string): Promise<ManyCalls> {
  const world = createWorld({ seed });
  const relay = relayIn(world);
  const random = new SeededRandom(`calls ${seed}`);
  const counts = { answered: 0, cancelled: 0, refused: 0, crashed: 0, mostPortsUsed: 0 };
  const endpoints = await Promise.all(
    ['10.0.0.5', '10.0.0.6', '10.0.0.7'].map((address) => Endpoint.on(world.host(address, address))),
  );
  for (let done = 0; done < calls; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, calls - done) }, (_, i) =>
      oneCall(relay, random.fork(`${done + i}`), `call ${done + i}`, endpoints, counts),
    );
    await Promise.all(batch);
    await world.advance({ ms: 20 });
    counts.mostPortsUsed = Math.max(counts.mostPortsUsed, relay.totals.ports.used);
    // Both ends of some calls: what they held is taken back when the call ends, whoever is gone.
    await Promise.all(batch.map(async (end) => (await end)()));
    // Long enough for the quarantine not to empty the pool.
    await world.advance({ seconds: 2 });
    for (const endpoint of endpoints) endpoint.heard.length = 0;
    world.trace.clear();
  }
  const { relayed } = relay.totals.packets;
  const left: string[] = [];
  const { calls: open, streams, ports } = relay.totals;
  if (open + streams + ports.used > 0) left.push(`${open} calls, ${streams} streams, ${ports.used} pairs of ports`);
  left.push(...world.pbx.leaks());
  await Promise.all([relay.close(), ...endpoints.map((endpoint) => endpoint.close())]);
  return { calls, ...counts, relayed, left };
}

type Counts = { answered: number; cancelled: number; refused: number; crashed: number };

/** The middle of a call's life; resolves to how it ends. */
async function oneCall(
  relay: MediaRelay,
  random: SeededRandom,
  callId: string,
  endpoints: readonly Endpoint[],
  counts: Counts,
): Promise<() => Promise<unknown>> {
  const [endpointA, endpointB, endpointC] = endpoints as [Endpoint, Endpoint, Endpoint];
  const a: Party = { endpoint: endpointA, legId: 'a' };
  const called = Array.from(
    { length: 1 + random.integer(3) },
    (_, i): Party => ({ endpoint: endpointB, legId: `b${i + 1}` }),
  );
  const describe = ({ endpoint }: Party, streams: number): string =>
    endpoint.sdp() + 'm=video 5000 RTP/AVP 31\r\n'.repeat(streams - 1);
  const streams = 1 + random.integer(2);
  const told = await Promise.all(
    called.map((to) => relay.offer({ ...exchangeOf(callId, a, to), sdp: describe(a, streams) })),
  );
  const over = (): Promise<unknown> => relay.delete(callId);
  const fate = random.integer(10);
  if (fate < 2) {
    counts.cancelled++;
    // CANCEL meets the answer.
    return random.chance(0.5) ? over : () => Promise.all([over(), answerOf(called[0] as Party)]);
  }
  if (fate < 4) {
    counts.refused++;
    return async () => {
      for (const { legId } of called) await relay.delete(callId, legId);
      await over();
    };
  }
  const winner = called[random.integer(called.length)] as Party;
  const toldA = await answerOf(winner);
  for (const { legId } of called) if (legId !== winner.legId) await relay.delete(callId, legId);
  counts.answered++;
  const index = called.indexOf(winner);
  speak(endpointA, placeIn(toldA), random);
  speak(endpointB, placeIn(told[index] as string), random);
  if (fate < 6) {
    // Nothing more is heard of the phones; a session timer or a time-out ends the call.
    counts.crashed++;
    return over;
  }
  if (fate < 8) {
    await relay.offer({ ...exchangeOf(callId, winner, a), sdp: describe(winner, 3 - streams) });
    if (random.chance(0.7)) await relay.answer({ ...exchangeOf(callId, a, winner), sdp: describe(a, 3 - streams) });
    return over;
  }
  const c: Party = { endpoint: endpointC, legId: 'c' };
  await relay.offer({ ...exchangeOf(callId, a, c), sdp: describe(a, 1) });
  await relay.delete(callId, winner.legId);
  if (random.chance(0.7)) await relay.answer({ ...exchangeOf(callId, c, a), sdp: describe(c, 1) });
  return () => Promise.all([over(), over()]);

  function answerOf(from: Party): Promise<string> {
    return relay.answer({ ...exchangeOf(callId, from, a), sdp: describe(from, streams) });
  }
}

function speak(endpoint: Endpoint, to: SocketAddress, random: SeededRandom): void {
  for (let i = random.integer(3); i > 0; i--) endpoint.say(to);
}
