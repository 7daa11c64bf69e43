import type { Millis } from '../../base/clock.js';
import { Mailbox } from '../../base/mailbox.js';
import type { TenantId } from '../../base/tenant.js';
import type { MediaExchange } from '../media-engine.js';
import type { MediaStats, StreamStats } from '../media-stats.js';
import type { MediaTimeouts, MediaTrouble } from '../media-trouble.js';
import { RelayLeg } from './relay-leg.js';
import { type PairContext, RelayPair } from './relay-pair.js';
import type { RelayStream } from './relay-stream.js';

/** The legs of one call, and the pairs that they make. What is asked of it is done one at a time. */
export class RelayCall {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly #context: PairContext;
  readonly #mailbox = new Mailbox();
  readonly #legs = new Map<string, RelayLeg>();
  readonly #pairs = new Map<string, RelayPair>();
  /** Of streams that are closed: what came from one leg for another in one of them is added up. */
  readonly #counted = new Map<string, StreamStats>();
  #ended = false;

  constructor(exchange: MediaExchange, context: Omit<PairContext, 'onClosing'>) {
    this.tenantId = exchange.tenantId;
    this.callId = exchange.callId;
    this.#context = { ...context, onClosing: (stream) => this.#count(stream) };
  }

  /** Streams that are open. */
  get streams(): readonly RelayStream[] {
    return [...this.#pairs.values()].flatMap((pair) => pair.streams);
  }

  /** What `toLeg` is told. @throws SdpParseError, MediaError, ListenError */
  offer(exchange: MediaExchange): Promise<string> {
    return this.#mailbox.run(() => {
      if (this.#ended) return exchange.sdp;
      const { from, to } = this.#between(exchange);
      return this.#pairOf(from, to).offer(from, to, exchange.sdp);
    });
  }

  /** As `offer`; an answer of a leg that was offered nothing stays as it is. */
  answer(exchange: MediaExchange): Promise<string> {
    return this.#mailbox.run(() => {
      const pair = this.#pairs.get(keyOf(exchange.fromLeg, exchange.toLeg));
      if (this.#ended || pair === undefined) return exchange.sdp;
      const { from, to } = this.#between(exchange);
      return pair.answer(from, to, exchange.sdp);
    });
  }

  /** The leg is out of the call: its pairs are closed. */
  deleteLeg(legId: string): Promise<void> {
    return this.#mailbox.run(async () => {
      this.#legs.delete(legId);
      const closing = [...this.#pairs].filter(([, { legs }]) => legs.some(({ id }) => id === legId));
      for (const [key] of closing) this.#pairs.delete(key);
      await Promise.all(closing.map(([, pair]) => pair.close()));
    });
  }

  /** Closes everything; what is asked afterwards opens nothing. */
  end(): Promise<void> {
    this.#ended = true;
    return this.#mailbox.run(async () => {
      await Promise.all([...this.#pairs.values()].map((pair) => pair.close()));
      this.#pairs.clear();
    });
  }

  stats(): MediaStats {
    const sums = new Map(this.#counted);
    for (const stream of this.streams) for (const each of stream.stats()) add(sums, each);
    return { path: 'relay', streams: [...sums.values()] };
  }

  /** A second has gone by. Tells of what is wrong with the media of each pair. */
  look(
    now: Millis,
    timeouts: MediaTimeouts,
    tell: (legs: readonly [string, string], trouble: MediaTrouble) => void,
  ): void {
    for (const { legs, streams, watch, establishedAt } of this.#pairs.values()) {
      for (const { sides } of streams) for (const side of sides) side.tick();
      if (establishedAt === undefined) continue;
      for (const trouble of watch.look(streams, now, timeouts)) tell([legs[0].id, legs[1].id], trouble);
    }
  }

  #between({ fromLeg, toLeg, fromAddress, toAddress }: MediaExchange): { from: RelayLeg; to: RelayLeg } {
    const [from, to] = [this.#leg(fromLeg), this.#leg(toLeg)];
    from.seenAt(fromAddress);
    to.calledAt(toAddress);
    return { from, to };
  }

  #leg(id: string): RelayLeg {
    let leg = this.#legs.get(id);
    if (leg === undefined) {
      leg = new RelayLeg(id);
      this.#legs.set(id, leg);
    }
    return leg;
  }

  #pairOf(from: RelayLeg, to: RelayLeg): RelayPair {
    const key = keyOf(from.id, to.id);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = new RelayPair([from, to], this.#context);
      this.#pairs.set(key, pair);
    }
    return pair;
  }

  #count(stream: RelayStream): void {
    for (const each of stream.stats()) add(this.#counted, each);
  }
}

/** The same for both directions. */
function keyOf(a: string, b: string): string {
  return JSON.stringify(a < b ? [a, b] : [b, a]);
}

function add(sums: Map<string, StreamStats>, stats: StreamStats): void {
  const key = JSON.stringify([stats.legId, stats.toLeg, stats.stream]);
  const before = sums.get(key);
  if (before === undefined) {
    sums.set(key, stats);
    return;
  }
  const heard = stats.packetsReceived > 0;
  sums.set(key, {
    ...before,
    ...stats,
    packetsReceived: before.packetsReceived + stats.packetsReceived,
    bytesReceived: before.bytesReceived + stats.bytesReceived,
    packetsLost: before.packetsLost + stats.packetsLost,
    packetsDropped: before.packetsDropped + stats.packetsDropped,
    jitterMs: heard ? stats.jitterMs : before.jitterMs,
  });
}
