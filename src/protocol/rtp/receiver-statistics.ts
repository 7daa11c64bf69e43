import type { Millis } from '../../base/clock.js';
import { Jitter } from './jitter.js';
import { type LossCount, LossWindow } from './loss-window.js';
import { sequenceOf, ssrcOf, timestampOf } from './packet.js';
import type { ReceptionQuality } from './rtcp-report.js';
import { extendSequence, MIN_SEQUENTIAL, SequenceTracker, type SequenceVerdict } from './sequence.js';
import { meanOpinionScore, transmissionRating } from './voice-quality.js';

/** What was counted of a stream, plain numbers. */
export interface ReceiverSnapshot {
  /** All packets, duplicates and strays included. */
  readonly packets: number;
  /** Of whole RTP packets, header included. */
  readonly bytes: number;
  /** What should have come by the sequence numbers. */
  readonly expected: number;
  /** Never came, duplicates notwithstanding; what is late by now counts as lost until it comes. */
  readonly lost: number;
  /** 0 to 1. */
  readonly lossRatio: number;
  /** Groups of packets lost in a row, and the longest of them in packets. */
  readonly lossBursts: number;
  readonly longestLossBurst: number;
  readonly duplicates: number;
  /** Came after a packet that was sent later. */
  readonly outOfOrder: number;
  /** Of a sequence that nobody went on with, or of a source that did not prove itself. */
  readonly strays: number;
  /** How often the sender began anew: another source, or another sequence of the same one. */
  readonly restarts: number;
  /** RFC 3550 §6.4.1; 0 while the clock rate is not known. */
  readonly jitterMs: number;
  /** An estimate for G.711 (`transmissionRating`), 1 to 4.5; undefined before anything was expected. */
  readonly mos: number | undefined;
  /** Of the present source; undefined before the first packet. */
  readonly ssrc: number | undefined;
}

/**
 * What a receiver counts of one stream: validity (RFC 3550 §A.1), loss (§A.3), jitter (§A.8), order and duplicates. A stream has one
 * source at a time; another SSRC is a restart, and what was counted of the last one is kept. `receive` makes no object.
 * Deviates: the packets by which a source proves itself are counted once it has, where §A.1 leaves them out.
 */
export class ReceiverStatistics {
  readonly #window = new LossWindow();
  readonly #jitter: Jitter;
  /** Of the sources and sequences before the present one. */
  readonly #before: LossCount = { lost: 0, bursts: 0, longestBurst: 0 };
  #expectedBefore = 0;
  #tracker = new SequenceTracker();
  /** As a signed number, which is a small integer; undefined before the first packet. */
  #ssrc: number | undefined;
  #packets = 0;
  #bytes = 0;
  #duplicates = 0;
  #outOfOrder = 0;
  #valid = 0;
  #restarts = 0;
  /** Of the present sequence, duplicates included: what §A.3 calls received. */
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;

  /** @param clockRate of the payload, in Hz; absent: not known */
  constructor(clockRate = 0) {
    this.#jitter = new Jitter(clockRate);
  }

  /** In Hz; 0: not known. Set it when another codec was agreed upon. */
  get clockRate(): number {
    return this.#jitter.clockRate;
  }

  set clockRate(rate: number) {
    if (rate !== this.#jitter.clockRate) this.#jitter.clockRate = rate;
  }

  /** Counts a packet that `isRtpHeader` accepts; `atMs` is when it came. Tells what its sequence number means. */
  receive(data: Uint8Array, atMs: Millis): SequenceVerdict {
    const ssrc = ssrcOf(data) | 0;
    if (ssrc !== this.#ssrc) this.#change(ssrc);
    this.#packets++;
    this.#bytes += data.length;
    const verdict = this.#tracker.receive(sequenceOf(data));
    switch (verdict) {
      case 'unproven':
        this.#jitter.forget();
        break;
      case 'stray':
        return verdict;
      case 'proven':
        this.#begin(MIN_SEQUENTIAL);
        break;
      case 'restart':
        this.#close();
        this.#restarts++;
        this.#jitter.forget();
        // The stray before it is of the new sequence.
        this.#begin(2);
        break;
      case 'newest':
        this.#window.take(this.#tracker.highest);
        this.#received++;
        this.#valid++;
        break;
      case 'old':
        this.#late(extendSequence(this.#tracker.highest, sequenceOf(data)));
        break;
    }
    this.#jitter.receive(timestampOf(data), atMs);
    return verdict;
  }

  /**
   * What a reception report says of the present source (RFC 3550 §6.4.1, §A.3), and begins the next interval; undefined while no source
   * has proved itself.
   */
  report(): ReceptionQuality | undefined {
    if (this.#received === 0 || this.#ssrc === undefined) return undefined;
    const { expected } = this.#window;
    const expectedNow = expected - this.#expectedPrior;
    const lostNow = expectedNow - (this.#received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    return {
      ssrc: this.#ssrc >>> 0,
      fractionLost: expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: Math.min(0x7fffff, Math.max(-0x800000, expected - this.#received)),
      // The tracker counts cycles from one.
      highestSequence: (this.#tracker.highest - 0x10000) >>> 0,
      jitter: this.#jitter.units,
    };
  }

  /** @param delayMs one way, as far as it is known: enters the estimate of quality only */
  snapshot(delayMs = 0): ReceiverSnapshot {
    const loss: LossCount = { ...this.#before };
    this.#window.addTo(loss);
    const expected = this.#expectedBefore + this.#window.expected;
    const lossRatio = expected === 0 ? 0 : loss.lost / expected;
    // Of random loss a group is 1 / (1 − ratio) packets long on the average.
    const burstRatio = loss.bursts === 0 ? 1 : (loss.lost / loss.bursts) * (1 - lossRatio);
    const jitterMs = this.#jitter.milliseconds;
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      expected,
      lost: loss.lost,
      lossRatio,
      lossBursts: loss.bursts,
      longestLossBurst: loss.longestBurst,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
      strays: this.#packets - this.#valid,
      restarts: this.#restarts,
      jitterMs,
      mos:
        expected === 0 ? undefined : meanOpinionScore(transmissionRating({ lossRatio, burstRatio, jitterMs, delayMs })),
      ssrc: this.#ssrc === undefined ? undefined : this.#ssrc >>> 0,
    };
  }

  /** The first `packets` of a sequence have all come, this one last. */
  #begin(packets: number): void {
    const { highest } = this.#tracker;
    this.#window.begin(highest - packets + 1);
    for (let sequence = highest - packets + 1; sequence <= highest; sequence++) this.#window.take(sequence);
    this.#received = packets;
    this.#valid += packets;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
  }

  #late(sequence: number): void {
    this.#received++;
    this.#valid++;
    if (this.#window.take(sequence)) this.#outOfOrder++;
    else this.#duplicates++;
  }

  #change(ssrc: number): void {
    this.#close();
    if (this.#ssrc !== undefined) this.#restarts++;
    this.#ssrc = ssrc;
    this.#tracker = new SequenceTracker();
    this.#received = 0;
    this.#jitter.forget();
  }

  /** Keeps what was counted of the present sequence, which has ended. */
  #close(): void {
    this.#window.addTo(this.#before);
    this.#expectedBefore += this.#window.expected;
    this.#window.begin(0);
  }
}
