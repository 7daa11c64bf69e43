import { formatAddress, type SocketAddress } from '../../../src/base/ip.js';
import { MediaRelay } from '../../../src/media/relay/media-relay.js';
import { ListenError } from '../../../src/net/errors.js';
import type { Network, UdpOptions, UdpSocket } from '../../../src/net/network.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { exchangeOf, placeIn, RELAY, rtpPacket } from './support.js';

/** What a run has seen, so that a test can tell that it was no walk through empty rooms. */
export interface ManyCalls {
  readonly calls: number;
  readonly answered: number;
  readonly cancelled: number;
  readonly refused: number;
  readonly crashed: number;
  readonly relayed: number;
  readonly mostSockets: number;
  /** Everything that is still there at the end, one line each. */
  readonly left: readonly string[];
}

/** Sockets in a table and nothing behind them: a hundred thousand calls would take minutes on the virtual network. */
class SocketTable implements Pick<Network, 'openUdp' | 'localAddresses'> {
  readonly open = new Map<string, UdpOptions>();
  most = 0;

  localAddresses(): readonly string[] {
    return [RELAY];
  }

  async openUdp(options: UdpOptions): Promise<UdpSocket> {
    const { local } = options;
    const key = formatAddress(local);
    if (this.open.has(key)) throw ListenError.portInUse('udp', local);
    this.open.set(key, options);
    this.most = Math.max(this.most, this.open.size);
    const close = async (): Promise<void> => void this.open.delete(key);
    return { local, send: () => {}, close };
  }

  deliver(to: SocketAddress, data: Uint8Array, from: SocketAddress): void {
    this.open.get(formatAddress(to))?.onMessage(data, from);
  }
}

interface Phone {
  readonly legId: string;
  readonly at: SocketAddress;
}

type Fate = 'cancelled' | 'refused' | 'crashed' | 'changed' | 'transferred';

const AT_ONCE = 50;
const FATES: readonly Fate[] = ['cancelled', 'refused', 'crashed', 'changed', 'transferred'];
const SPOKEN = rtpPacket({ sequence: 1 });

/** Calls of random kinds, fifty at a time; the same seed makes the same calls. */
export async function runManyCalls(calls: number, seed: number | string): Promise<ManyCalls> {
  const clock = new ManualClock();
  const network = new SocketTable();
  const random = new SeededRandom(seed);
  const relay = new MediaRelay({ network, scheduler: clock, random: random.fork('relay') });
  const counts = { answered: 0, cancelled: 0, refused: 0, crashed: 0, changed: 0, transferred: 0 };
  for (let done = 0; done < calls; done += AT_ONCE) {
    const batch = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, calls - done) }, (_, i) => {
        const fate = FATES[random.integer(FATES.length)] as Fate;
        counts[fate]++;
        if (fate !== 'cancelled' && fate !== 'refused') counts.answered++;
        return oneCall({ relay, network, random, callId: `call ${done + i}`, fate });
      }),
    );
    await Promise.all(batch.map((end) => end()));
    // Long enough for the quarantine not to empty the pool.
    await clock.advance(2_000);
  }
  const { relayed } = relay.totals.packets;
  const left = [...network.open.keys()];
  const { calls: open, streams, ports } = relay.totals;
  if (open + streams + ports.used > 0) left.push(`${open} calls, ${streams} streams, ${ports.used} pairs of ports`);
  if (clock.pending > 0) left.push(`${clock.pending} timers`);
  const { answered, cancelled, refused, crashed } = counts;
  return { calls, answered, cancelled, refused, crashed, relayed, mostSockets: network.most, left };
}

interface CallPlan {
  readonly relay: MediaRelay;
  readonly network: SocketTable;
  readonly random: SeededRandom;
  readonly callId: string;
  readonly fate: Fate;
}

/** A call up to its end; what is returned ends it. */
async function oneCall({ relay, network, random, callId, fate }: CallPlan): Promise<() => Promise<unknown>> {
  const caller = phone('a', '10.0.0.5');
  const called = Array.from({ length: random.chance(0.2) ? 3 : 1 }, (_, i) => phone(`b${i + 1}`, '10.0.0.6'));
  const winner = called[random.integer(called.length)] as Phone;
  const streams = random.chance(0.2) ? 2 : 1;
  const exchange = (from: Phone, to: Phone, count = streams) => ({
    ...exchangeOf(callId, party(from), party(to)),
    sdp: describe(from, count),
  });
  const over = (): Promise<unknown> => relay.delete(callId);
  const told = await Promise.all(called.map((to) => relay.offer(exchange(caller, to))));
  const answer = (): Promise<string> => relay.answer(exchange(winner, caller));
  // CANCEL alone, or together with the answer.
  if (fate === 'cancelled') return random.chance(0.5) ? over : () => Promise.all([answer(), over(), answer()]);
  if (fate === 'refused') {
    return async () => {
      for (const { legId } of called) await relay.delete(callId, legId);
      await over();
    };
  }
  const toldCaller = await answer();
  for (const { legId } of called) if (legId !== winner.legId) await relay.delete(callId, legId);
  network.deliver(placeIn(toldCaller), SPOKEN, caller.at);
  network.deliver(placeIn(told[called.indexOf(winner)] as string), SPOKEN, winner.at);
  // Nothing more is heard of the phones: whoever watches over the call ends it.
  if (fate === 'crashed') return over;
  if (fate === 'changed') {
    await relay.offer(exchange(winner, caller, 3 - streams));
    if (random.chance(0.7)) await relay.answer(exchange(caller, winner, 3 - streams));
    return over;
  }
  const third = phone('c', '10.0.0.7');
  await relay.offer(exchange(caller, third, 1));
  await relay.delete(callId, winner.legId);
  if (random.chance(0.7)) await relay.answer(exchange(third, caller, 1));
  return () => Promise.all([over(), over()]);
}

const phone = (legId: string, address: string): Phone => ({ legId, at: { address, port: 4000 } });

const party = ({ legId, at }: Phone) => ({ legId, endpoint: at });

function describe({ at: { address, port } }: Phone, streams: number): string {
  const head = `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
  return streams === 1 ? head : `${head}m=video ${port + 2} RTP/AVP 31\r\n`;
}
