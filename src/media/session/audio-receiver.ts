import type { Millis } from '../../base/clock.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import { G711 } from '../../protocol/audio/g711.js';
import { EventReceiver, type KeyEvent } from '../../protocol/rtp/event-receiver.js';
import { isRtp, payloadEnd, payloadOffset, payloadType, ssrcOf, timestampOf } from '../../protocol/rtp/packet.js';
import { type ReceiverSnapshot, ReceiverStatistics } from '../../protocol/rtp/receiver-statistics.js';
import type { ReceptionQuality } from '../../protocol/rtp/rtcp-report.js';
import { type G711Codec, SAMPLE_RATE, SAMPLES_A_MS } from '../audio/audio-source.js';
import type { AgreedAudio } from './agreed-audio.js';
import { isDigit } from './digit-gate.js';
import { JitterBuffer } from './jitter-buffer.js';

/** Half a second: nobody sends longer packets. */
const MOST_SAMPLES = 4000;

/** What was counted of the stream that comes in. */
export interface ReceivedCount extends ReceiverSnapshot {
  /** Datagrams that are no RTP, of a payload type that was not agreed on, or our own come back. */
  readonly unusable: number;
  /** Came when their time was over. */
  readonly late: number;
  /** Made up for what was missing, in milliseconds. */
  readonly concealedMs: number;
  /** How long a packet waits for those that are late, at present. */
  readonly bufferMs: number;
}

export interface AudioReceiverOptions {
  /** What comes under it is our own stream, sent back by a loop (RFC 3550 §8.2): not taken. */
  readonly ownSsrc: number;
  /** Told when a key goes down. */
  readonly onDigit: (digit: DtmfDigit) => void;
}

/** One RTP stream that comes in, from packets to samples at an even pace and to digits. Bad packets are counted, never thrown. */
export class AudioReceiver {
  readonly #options: AudioReceiverOptions;
  readonly #statistics = new ReceiverStatistics(SAMPLE_RATE);
  readonly #jitter = new JitterBuffer();
  readonly #samples = new Int16Array(MOST_SAMPLES);
  #events = new EventReceiver();
  #expected: ReadonlyMap<number, G711Codec | 'event'> = new Map();
  #unusable = 0;
  #lastAt: Millis | undefined;

  constructor(options: AudioReceiverOptions) {
    this.#options = options;
  }

  /** When the last packet came. */
  get lastAt(): Millis | undefined {
    return this.#lastAt;
  }

  get count(): ReceivedCount {
    return {
      ...this.#statistics.snapshot(),
      unusable: this.#unusable,
      late: this.#jitter.latePackets,
      concealedMs: Math.round(this.#jitter.concealedSamples / SAMPLES_A_MS),
      bufferMs: this.#jitter.delayMs,
    };
  }

  /** For a reception report; begins the next interval. */
  report(): ReceptionQuality | undefined {
    return this.#statistics.report();
  }

  agree({ expected }: AgreedAudio): void {
    this.#expected = expected;
  }

  /** Something came from the peer that is no RTP. */
  refuse(): void {
    this.#unusable++;
  }

  /** Takes a packet of the peer, already decrypted. */
  receive(packet: Uint8Array, now: Millis): void {
    if (!isRtp(packet) || ssrcOf(packet) === this.#options.ownSsrc) {
      this.#unusable++;
      return;
    }
    const kind = this.#expected.get(payloadType(packet));
    const verdict = this.#statistics.receive(packet, now);
    this.#lastAt = now;
    if (verdict === 'stray') return;
    // Another source, or another sequence of the same one: its timestamps have nothing to do with those before.
    if (verdict === 'unproven' || verdict === 'restart') this.#jitter.reset();
    if (kind === 'event') this.#tell(this.#events.receive(packet, now));
    else if (kind === undefined) this.#unusable++;
    else this.#keep(packet, kind);
  }

  /** Fills `out` with what is to be heard now. False: nothing of it has come. */
  read(out: Int16Array, now: Millis): boolean {
    this.#tell(this.#events.tick(now));
    return this.#jitter.read(out);
  }

  #keep(packet: Uint8Array, codec: G711Codec): void {
    const from = payloadOffset(packet);
    const to = payloadEnd(packet);
    if (to - from > MOST_SAMPLES) {
      this.#unusable++;
      return;
    }
    if (codec === 'PCMA') G711.decodeAlawInto(packet, this.#samples, from, to);
    else G711.decodeUlawInto(packet, this.#samples, from, to);
    this.#jitter.write(timestampOf(packet), this.#samples, to - from);
  }

  #tell(events: readonly KeyEvent[]): void {
    for (const { kind, digit } of events) if (kind === 'pressed' && isDigit(digit)) this.#options.onDigit(digit);
  }
}
