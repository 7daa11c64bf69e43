import { ipVersion, normalizeHost } from '../../base/ip.js';
import type { Sdp } from '../../protocol/sdp/lines.js';
import { mediaSummary } from '../../protocol/sdp/media.js';
import type { StreamStats } from '../media-stats.js';
import { mediaAddress } from './reach.js';

/**
 * How rtpengine finds out where a party sends from. `off`: the described address and port, nothing else. `heuristic`: for three
 * seconds after an offer or answer anybody is taken for the party, the described address first; then nobody else is.
 */
export type Learning = 'off' | 'heuristic';

/** How often in a row a party's source is learned anew before rtpengine is told to take nothing but what was described. */
const MOST_ATTEMPTS = 3;

/** What is known of the source of one leg. */
interface Source {
  /** The addresses that are the party's: described, or seen by the signalling (RFC 7362 §4). */
  readonly own: ReadonlySet<string>;
  learning: Learning;
  attempts: number;
  /** Counters when its description was passed on last. */
  received: number;
  dropped: number;
}

/**
 * rtpengine 10.5 cannot be told from which address a source may be learned, and while it learns it serves whoever sends. So it
 * learns only where there is reason to: for a party behind NAT, or one whose packets come from another port than described;
 * and what it has learned is looked at: when that is an address of a stranger, the descriptions are passed on once more.
 */
export class SourceGuard {
  readonly #sources = new Map<string, Source>();

  /** A leg has described itself. */
  describe(legId: string, sdp: Sdp, fromAddress: string | undefined): void {
    const described = mediaSummary(sdp).flatMap(({ active, address }) =>
      active && address !== undefined ? [address] : [],
    );
    const own = new Set([...described, ...(fromAddress === undefined ? [] : [fromAddress])].map(normalizeHost));
    const behindNat = described.some(
      (address) => ipVersion(address) !== 0 && mediaAddress(address, fromAddress) !== normalizeHost(address),
    );
    const { received = 0, dropped = 0 } = this.#sources.get(legId) ?? {};
    this.#sources.set(legId, { own, learning: behindNat ? 'heuristic' : 'off', attempts: 0, received, dropped });
  }

  learning(legId: string): Learning {
    return this.#sources.get(legId)?.learning ?? 'off';
  }

  /** Looks at the counters: whether the descriptions must be passed on again, because a source was learned wrongly or must be learned. */
  judge(streams: readonly StreamStats[]): boolean {
    let again = false;
    for (const [legId, source] of this.#sources) {
      const own = streams.filter((stream) => stream.legId === legId);
      if (source.attempts < MOST_ATTEMPTS && mustLearn(source, own)) {
        source.attempts++;
        source.learning = source.attempts < MOST_ATTEMPTS ? 'heuristic' : 'off';
        again = true;
      }
    }
    if (!again) return false;
    for (const [legId, source] of this.#sources)
      Object.assign(source, sums(streams.filter((stream) => stream.legId === legId)));
    return true;
  }
}

function mustLearn(source: Source, streams: readonly StreamStats[]): boolean {
  const { received, dropped } = sums(streams);
  if (source.learning === 'off') return received === source.received && dropped > source.dropped;
  return streams.some((stream) => stream.source !== undefined && !source.own.has(stream.source.address));
}

function sums(streams: readonly StreamStats[]): { readonly received: number; readonly dropped: number } {
  return {
    received: streams.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0),
    dropped: streams.reduce((sum, { packetsDropped }) => sum + packetsDropped, 0),
  };
}
