import type { StreamStats } from '../media-stats.js';

/**
 * What was counted of one pair of legs in all, although an instance that is restarted, or takes over from another, begins at 0
 * again: what was seen last is carried over.
 */
export class PairCounts {
  #carried: readonly StreamStats[] = [];
  #current: readonly StreamStats[] = [];

  /** What the instance tells now. */
  update(streams: readonly StreamStats[]): void {
    const shrunk = this.#current.some((before) => {
      const now = streams.find((each) => isSame(each, before));
      return now === undefined || packets(now) < packets(before);
    });
    if (shrunk) this.beginAgain();
    this.#current = streams;
  }

  /** The counters start anew: another instance has the pair. */
  beginAgain(): void {
    this.#carried = this.total;
    this.#current = [];
  }

  get total(): readonly StreamStats[] {
    const sums = this.#carried.map((carried) => {
      const now = this.#current.find((each) => isSame(each, carried));
      return now === undefined ? carried : sum(carried, now);
    });
    return [...sums, ...this.#current.filter((each) => !this.#carried.some((carried) => isSame(each, carried)))];
  }
}

function isSame(a: StreamStats, b: StreamStats): boolean {
  return a.legId === b.legId && a.stream === b.stream;
}

function packets(stats: StreamStats): number {
  return stats.packetsReceived + stats.packetsDropped;
}

function sum(before: StreamStats, now: StreamStats): StreamStats {
  return {
    ...before,
    ...now,
    packetsReceived: before.packetsReceived + now.packetsReceived,
    bytesReceived: before.bytesReceived + now.bytesReceived,
    packetsLost: before.packetsLost + now.packetsLost,
    packetsDropped: before.packetsDropped + now.packetsDropped,
  };
}
