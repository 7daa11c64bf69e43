import type { Millis } from '../../base/clock.js';
import type { MediaTimeouts, MediaTrouble } from '../media-trouble.js';
import type { RelaySide } from './relay-side.js';
import type { RelayStream } from './relay-stream.js';

/** Since when media is expected of a side, and what was told of its silence. */
interface Expectation {
  readonly since: Millis;
  /** The look before: what has come after it counts as heard. */
  readonly after: Millis;
  told: boolean;
}

/** Looks once a second at the streams of an established pair: whose packets do not come. Keeps what it has told, to tell it once. */
export class PairWatch {
  readonly #expected = new WeakMap<RelaySide, Expectation>();
  #state: 'call' | 'hold' | undefined;
  #since: Millis = 0;
  #lookedAt: Millis = Number.NEGATIVE_INFINITY;
  #lostTold = false;

  look(streams: readonly RelayStream[], now: Millis, timeouts: MediaTimeouts): readonly MediaTrouble[] {
    if (streams.length === 0) return [];
    const troubles: MediaTrouble[] = [];
    for (const stream of streams) {
      const [a, b] = stream.sides;
      this.#lookAt(stream, a, b, now, timeouts.oneWayMs, troubles);
      this.#lookAt(stream, b, a, now, timeouts.oneWayMs, troubles);
    }
    this.#lookForLife(streams, now, timeouts, troubles);
    this.#lookedAt = now;
    return troubles;
  }

  /** Whether `side` is silent although media may come from it, and the other is not. */
  #lookAt(
    stream: RelayStream,
    side: RelaySide,
    other: RelaySide,
    now: Millis,
    oneWayMs: number,
    troubles: MediaTrouble[],
  ): void {
    if (!stream.mayCome(side)) {
      this.#expected.delete(side);
      return;
    }
    let expected = this.#expected.get(side);
    if (expected === undefined) {
      expected = { since: now, after: this.#lookedAt, told: false };
      this.#expected.set(side, expected);
    }
    const isHeard = now - side.heardAt < oneWayMs;
    if (isHeard) expected.told = false;
    if (isHeard || expected.told || now - expected.since < oneWayMs || now - other.heardAt >= oneWayMs) return;
    const cause = now - side.strayAt < oneWayMs ? 'wrong-source' : 'nothing-received';
    // Who has agreed to comfort noise (RFC 3389) and was heard is silent because nobody speaks.
    if (cause === 'nothing-received' && side.heardAt > expected.after && pauses(side, other)) return;
    expected.told = true;
    troubles.push({ kind: 'oneWay', silentLeg: side.legId, deafLeg: other.legId, stream: stream.index, cause });
  }

  #lookForLife(streams: readonly RelayStream[], now: Millis, timeouts: MediaTimeouts, troubles: MediaTrouble[]): void {
    const talking = streams.some((stream) => stream.sides.every((side) => stream.mayCome(side)));
    const state = talking ? 'call' : 'hold';
    if (state !== this.#state) {
      this.#state = state;
      this.#since = now;
      this.#lostTold = false;
    }
    let alive = this.#since;
    for (const { sides } of streams) alive = Math.max(alive, sides[0].aliveAt, sides[1].aliveAt);
    const silentMs = now - alive;
    if (silentMs < (state === 'call' ? timeouts.callMs : timeouts.holdMs)) this.#lostTold = false;
    else if (!this.#lostTold) {
      this.#lostTold = true;
      troubles.push({ kind: 'lost', state, silentMs });
    }
  }
}

function pauses(side: RelaySide, other: RelaySide): boolean {
  return [side, other].every(
    ({ described }) => described?.codecs.some(({ name }) => name.toUpperCase() === 'CN') === true,
  );
}
