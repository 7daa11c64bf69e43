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
  /** Where its description says that it is, and where it was seen: as long as this stays, so does what was learned. */
  readonly place: string;
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
 * learns only where there is reason to: for a party behind NAT; with `elsewhere` also for one that is not heard while packets
 * come from elsewhere than it said, whoever may have sent them. What it has learned is looked at: when that is an address of a
 * stranger, it has to learn anew.
 */
export class SourceGuard {
  readonly #sources = new Map<string, Source>();
  readonly #elsewhere: boolean;

  constructor(elsewhere: boolean) {
    this.#elsewhere = elsewhere;
  }

  /** A leg has described itself, when so much had been counted. */
  describe(legId: string, sdp: Sdp, fromAddress: string | undefined, counted: readonly StreamStats[]): void {
    const described = mediaSummary(sdp).flatMap(({ active, address, port }) =>
      active && address !== undefined ? [{ address: normalizeHost(address), port }] : [],
    );
    const place = JSON.stringify([fromAddress, described]);
    const known = this.#sources.get(legId);
    const now = sums(legId, counted);
    if (known?.place === place) {
      Object.assign(known, now);
      return;
    }
    const own = described.map(({ address }) => address);
    const behindNat = own.some((address) => ipVersion(address) !== 0 && mediaAddress(address, fromAddress) !== address);
    if (fromAddress !== undefined) own.push(normalizeHost(fromAddress));
    const learning = behindNat ? 'heuristic' : 'off';
    this.#sources.set(legId, { place, own: new Set(own), learning, attempts: 0, ...now });
  }

  learning(legId: string): Learning {
    return this.#sources.get(legId)?.learning ?? 'off';
  }

  /**
   * By how much the ports of a leg are told wrongly. rtpengine begins to learn when a described address or port is another one
   * than before; where it learns, the described port did not lead to the party in any case.
   */
  portShift(legId: string): number {
    const source = this.#sources.get(legId);
    return source === undefined || source.learning === 'off' ? 0 : 2 * source.attempts;
  }

  /** Looks at the counters: whether the descriptions must be passed on again, because a source was learned wrongly or must be learned. */
  judge(counted: readonly StreamStats[]): boolean {
    let again = false;
    for (const [legId, source] of this.#sources) {
      if (source.attempts >= MOST_ATTEMPTS || (source.learning === 'off' && !this.#elsewhere)) continue;
      if (!mustLearn(legId, source, counted)) continue;
      source.attempts++;
      source.learning = source.attempts < MOST_ATTEMPTS ? 'heuristic' : 'off';
      again = true;
    }
    if (again) for (const [legId, source] of this.#sources) Object.assign(source, sums(legId, counted));
    return again;
  }
}

/** Nothing has come but from elsewhere; or what has come is not the party's. */
function mustLearn(legId: string, source: Source, counted: readonly StreamStats[]): boolean {
  const { received, dropped } = sums(legId, counted);
  if (received === source.received) return dropped > source.dropped;
  if (source.learning === 'off') return false;
  return counted.some(
    (stream) => stream.legId === legId && stream.source !== undefined && !source.own.has(stream.source.address),
  );
}

function sums(legId: string, counted: readonly StreamStats[]): { readonly received: number; readonly dropped: number } {
  const own = counted.filter((stream) => stream.legId === legId);
  return {
    received: own.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0),
    dropped: own.reduce((sum, { packetsDropped }) => sum + packetsDropped, 0),
  };
}
