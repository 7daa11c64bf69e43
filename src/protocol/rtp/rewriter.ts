import type { Millis } from '../../base/clock.js';
import { sequenceOf, setMarker, setSequence, setSsrc, setTimestamp, ssrcOf, timestampOf } from './packet.js';
import { sequenceDelta, timestampDelta } from './sequence.js';

export interface RewriterOptions {
  /** Of the stream that leaves. */
  readonly ssrc: number;
  /** Of its first packet: random (RFC 3550 §5.1), for SRTP below 2¹⁵ (RFC 4568 §6.4). */
  readonly sequence: number;
  /** Of its first packet: random. */
  readonly timestamp: number;
  /** Of its payload, in Hz. */
  readonly clockRate: number;
}

/** A source that went before: what is late of it is not sent any more. */
interface Source {
  ssrc: number;
  /** The latest of it that was sent. */
  sequence: number;
}

/** From here on a sequence number is not late or after a loss, it is of another sequence (RFC 3550 §A.1). */
const LONGEST_GAP = 3000;
const LONGEST_LATENESS = 100;
/** A timestamp that goes back further is set anew; event packets go back by as much as a key is long (RFC 4733 §2.2.1). */
const LONGEST_EVENT_MS = 10_000;
/** A timestamp that jumps further ahead than time has gone is set anew. */
const LONGEST_LEAP_MS = 60_000;
/** Between the last packet of one source and the first of the next, at least: one packet. */
const SHORTEST_STEP_MS = 20;

/**
 * Makes one stream of several sources that take turns: SSRC, sequence numbers and timestamps go on where the last source stopped, as if
 * the sender had never changed. Within a source, gaps and order stay as they were, so that the receiver sees its losses.
 */
export class StreamRewriter {
  readonly #options: RewriterOptions;
  /** The source that is heard now; its `ssrc` is −1 before the first packet. */
  #source: Source = { ssrc: -1, sequence: 0 };
  #before: Source = { ssrc: -1, sequence: 0 };
  /** What is added to the source's numbers. */
  #sequenceShift = 0;
  #timestampShift = 0;
  /** The latest that has left, and when. */
  #sequence: number;
  #timestamp: number;
  #atMs: Millis = 0;
  #started = false;
  /** How far the source has come since its first packet, or since its numbers jumped. */
  #span = 0;

  constructor(options: RewriterOptions) {
    this.#options = options;
    this.#sequence = options.sequence & 0xffff;
    this.#timestamp = options.timestamp >>> 0;
  }

  /** What stands in the packets that leave. */
  get ssrc(): number {
    return this.#options.ssrc;
  }

  /** The timestamp that a packet of the present source with this timestamp leaves with: for its sender reports. */
  timestampFor(timestamp: number): number {
    return (timestamp + this.#timestampShift) >>> 0;
  }

  /**
   * Rewrites a packet that `isRtpHeader` accepts in place. False: it is late, of what has been replaced, and must not be sent: its number
   * has been given to another.
   * The first packet of a source is marked (RFC 3551 §4.1), so that the receiver may set its buffer anew.
   */
  rewrite(data: Uint8Array, atMs: Millis): boolean {
    const ssrc = ssrcOf(data);
    const sequence = sequenceOf(data);
    const timestamp = timestampOf(data);
    if (ssrc !== this.#source.ssrc) {
      const lag = sequenceDelta(this.#before.sequence, sequence);
      if (ssrc === this.#before.ssrc && lag <= 0 && lag > -LONGEST_GAP) return false;
      this.#swap(ssrc, sequence);
      this.#splice(data, sequence, timestamp, atMs);
    } else {
      const ahead = sequenceDelta(this.#source.sequence, sequence);
      if (ahead >= LONGEST_GAP || ahead < -LONGEST_LATENESS) this.#splice(data, sequence, timestamp, atMs);
      else if (ahead > 0) this.#follow(sequence, timestamp, ahead, atMs);
      else if (-ahead > this.#span) return false;
    }
    setSequence(data, sequence + this.#sequenceShift);
    setTimestamp(data, timestamp + this.#timestampShift);
    setSsrc(data, this.#options.ssrc);
    return true;
  }

  /** The source before the present one is written over: no object for a change. */
  #swap(ssrc: number, sequence: number): void {
    const gone = this.#before;
    this.#before = this.#source;
    gone.ssrc = ssrc;
    gone.sequence = sequence;
    this.#source = gone;
  }

  /** The next packet of the source that is heard. */
  #follow(sequence: number, timestamp: number, ahead: number, atMs: Millis): void {
    const { clockRate } = this.#options;
    const leap = (timestampDelta(this.#timestamp, timestamp + this.#timestampShift) * 1000) / clockRate;
    if (leap < -LONGEST_EVENT_MS || leap > atMs - this.#atMs + LONGEST_LEAP_MS) this.#join(timestamp, atMs);
    this.#source.sequence = sequence;
    this.#sequence = (this.#sequence + ahead) & 0xffff;
    this.#span += ahead;
    this.#leave(timestamp, atMs);
  }

  /** The first packet of a source, or of a new sequence of it. */
  #splice(data: Uint8Array, sequence: number, timestamp: number, atMs: Millis): void {
    if (this.#started) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#join(timestamp, atMs);
    } else {
      this.#timestampShift = (this.#timestamp - timestamp) | 0;
      this.#started = true;
    }
    this.#sequenceShift = this.#sequence - sequence;
    this.#source.sequence = sequence;
    this.#span = 0;
    this.#leave(timestamp, atMs);
    setMarker(data, true);
  }

  /** Sets the clock of the source so that it goes on from what has left, by the time that has gone since. */
  #join(timestamp: number, atMs: Millis): void {
    const stepMs = Math.max(SHORTEST_STEP_MS, atMs - this.#atMs);
    const next = this.#timestamp + Math.round((stepMs * this.#options.clockRate) / 1000);
    this.#timestampShift = (next - timestamp) | 0;
  }

  #leave(timestamp: number, atMs: Millis): void {
    const leaving = (timestamp + this.#timestampShift) >>> 0;
    // An event's packets look back; what has left stays the furthest.
    if (timestampDelta(this.#timestamp, leaving) > 0) this.#timestamp = leaving;
    this.#atMs = atMs;
  }
}
