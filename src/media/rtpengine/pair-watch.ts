import type { Millis } from '../../base/clock.js';
import { receives, sends } from '../../protocol/sdp/direction.js';
import type { Sdp } from '../../protocol/sdp/lines.js';
import { mediaSummary } from '../../protocol/sdp/media.js';
import type { StreamStats } from '../media-stats.js';
import type { MediaTimeouts, MediaTrouble } from '../media-trouble.js';

/** One direction of one stream, since the last answer. */
interface Flow {
  readonly legId: string;
  readonly toLeg: string;
  readonly stream: number;
  /** Whether the descriptions let this party send. */
  readonly expected: boolean;
  /** Whether it may be silent while nobody speaks: comfort noise was agreed (RFC 3389). */
  readonly pauses: boolean;
  packets: number;
  dropped: number;
  heardAt: Millis | undefined;
  strangersAt: Millis | undefined;
  told: boolean;
}

/** Listens to the counters of a pair of legs whose descriptions are agreed: who is not heard, and when nobody is. No clock of its own. */
export class PairWatch {
  readonly #timeouts: MediaTimeouts;
  #flows: Flow[] = [];
  #state: 'call' | 'hold' = 'call';
  #agreedAt: Millis;
  #heardAt: Millis;
  #lostTold = false;

  constructor(timeouts: MediaTimeouts, now: Millis) {
    this.#timeouts = timeouts;
    this.#agreedAt = now;
    this.#heardAt = now;
  }

  /** `answer`, from `answerer` to `offerer`, has settled what may flow (RFC 3264 §6.1): the silence of both begins anew. */
  agree(answer: Sdp, answerer: string, offerer: string, now: Millis): void {
    const before = this.#flows;
    const active = mediaSummary(answer).filter((stream) => stream.active);
    const flow = (legId: string, toLeg: string, stream: number, expected: boolean, pauses: boolean): Flow => {
      const known = before.find((each) => each.legId === legId && each.stream === stream);
      const { packets = 0, dropped = 0 } = known ?? {};
      return {
        legId,
        toLeg,
        stream,
        expected,
        pauses,
        packets,
        dropped,
        heardAt: undefined,
        strangersAt: undefined,
        told: false,
      };
    };
    this.#flows = active.flatMap(({ index, direction, codecs }) => {
      const pauses = codecs.some(({ name }) => name.toUpperCase() === 'CN');
      return [
        flow(answerer, offerer, index, sends(direction), pauses),
        flow(offerer, answerer, index, receives(direction), pauses),
      ];
    });
    this.#state = active.some(({ direction }) => direction === 'sendrecv') ? 'call' : 'hold';
    this.#agreedAt = now;
    this.#heardAt = now;
    this.#lostTold = false;
  }

  /** The counters as they stand at `now`, or as they were read last where they could not be had. */
  observe(streams: readonly StreamStats[], now: Millis): MediaTrouble[] {
    for (const flow of this.#flows) {
      const stats = streams.find((each) => each.legId === flow.legId && each.stream === flow.stream);
      if (stats !== undefined) this.#take(flow, stats, now);
    }
    const silent = this.#flows.filter((flow) => this.#isMissed(flow, now));
    for (const flow of silent) flow.told = true;
    return [...silent.map((flow) => oneWay(flow, now - this.#timeouts.oneWayMs)), ...this.#lost(now)];
  }

  #take(flow: Flow, stats: StreamStats, now: Millis): void {
    if (stats.packetsReceived > flow.packets) {
      flow.heardAt = now;
      flow.told = false;
      this.#heardAt = now;
      this.#lostTold = false;
    }
    if (stats.packetsDropped > flow.dropped) flow.strangersAt = now;
    flow.packets = stats.packetsReceived;
    flow.dropped = stats.packetsDropped;
  }

  /** Whether this one should be heard and is not, although the other is; not told yet. */
  #isMissed(flow: Flow, now: Millis): boolean {
    if (!flow.expected || flow.told || (flow.pauses && flow.heardAt !== undefined)) return false;
    const { oneWayMs } = this.#timeouts;
    const other = this.#flows.find((each) => each.stream === flow.stream && each.legId === flow.toLeg);
    const otherHeard = other?.heardAt !== undefined && now - other.heardAt < oneWayMs;
    return otherHeard && now - (flow.heardAt ?? this.#agreedAt) >= oneWayMs;
  }

  #lost(now: Millis): MediaTrouble[] {
    const silentMs = now - this.#heardAt;
    const allowed = this.#state === 'call' ? this.#timeouts.callMs : this.#timeouts.holdMs;
    if (this.#lostTold || this.#flows.length === 0 || silentMs < allowed) return [];
    this.#lostTold = true;
    return [{ kind: 'lost', state: this.#state, silentMs }];
  }
}

function oneWay({ legId, toLeg, stream, strangersAt }: Flow, recently: Millis): MediaTrouble {
  const cause = strangersAt !== undefined && strangersAt >= recently ? 'wrong-source' : 'nothing-received';
  return { kind: 'oneWay', silentLeg: legId, deafLeg: toLeg, stream, cause };
}
