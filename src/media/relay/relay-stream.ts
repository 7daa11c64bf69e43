import { sends } from '../../protocol/sdp/direction.js';
import { agreedDirection } from '../../protocol/sdp/offer-answer.js';
import type { StreamStats } from '../media-stats.js';
import { RelaySide, type SideContext } from './relay-side.js';

/** One end of a stream to be: who is there, and the address of ours that it is faced with. */
export interface StreamEnd {
  readonly legId: string;
  readonly address: string;
}

/** One `m=` line between two legs: a side for each. */
export class RelayStream {
  /** The index of the `m=` line. */
  readonly index: number;
  readonly sides: readonly [RelaySide, RelaySide];

  private constructor(index: number, sides: readonly [RelaySide, RelaySide]) {
    this.index = index;
    this.sides = sides;
  }

  /** Opens both pairs of ports, or none. @throws MediaError (MEDIA_NO_PORT), ListenError */
  static async open(index: number, ends: readonly [StreamEnd, StreamEnd], context: SideContext): Promise<RelayStream> {
    const first = await RelaySide.open(ends[0].legId, ends[0].address, context);
    try {
      const second = await RelaySide.open(ends[1].legId, ends[1].address, context);
      RelaySide.join(first, second);
      return new RelayStream(index, [first, second]);
    } catch (error) {
      await first.close(true);
      throw error;
    }
  }

  /** The side that faces a leg. */
  facing(legId: string): RelaySide {
    return this.sides[0].legId === legId ? this.sides[0] : this.sides[1];
  }

  /** Whether media may flow from `side` to the other, as both have said. */
  mayCome(side: RelaySide): boolean {
    const here = side.described;
    const there = (side === this.sides[0] ? this.sides[1] : this.sides[0]).described;
    if (here?.kind !== 'rtp' || there?.kind !== 'rtp') return false;
    return sends(agreedDirection(here.direction, there.direction));
  }

  /** What came from each leg. */
  stats(): readonly StreamStats[] {
    const [a, b] = this.sides;
    return [statsOf(a, b.legId, this.index), statsOf(b, a.legId, this.index)];
  }

  /** `unused`: nobody was told of its ports. */
  async close(unused = false): Promise<void> {
    await Promise.all(this.sides.map((side) => side.close(unused)));
  }
}

function statsOf(side: RelaySide, toLeg: string, stream: number): StreamStats {
  const { packetsReceived, bytesReceived, packetsDropped } = side;
  const { lost, jitterMs } = side.statistics.snapshot();
  const source = packetsReceived === 0 ? undefined : side.source.target;
  return {
    legId: side.legId,
    toLeg,
    stream,
    packetsReceived,
    bytesReceived,
    packetsLost: lost,
    jitterMs,
    packetsDropped,
    ...(source === undefined ? {} : { source }),
  };
}
