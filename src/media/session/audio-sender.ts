import type { Random } from '../../base/random.js';
import { G711 } from '../../protocol/audio/g711.js';
import { EventSender, type PressOptions } from '../../protocol/rtp/event-sender.js';
import {
  RTP_HEADER_BYTES,
  setMarker,
  setPayloadType,
  setSequence,
  setSsrc,
  setTimestamp,
} from '../../protocol/rtp/packet.js';
import { type EncodedSource, type G711Codec, SAMPLES_A_MS } from '../audio/audio-source.js';
import type { AgreedAudio } from './agreed-audio.js';

/** What digital silence is in each codec. */
const SILENCE: Readonly<Record<G711Codec, number>> = { PCMA: 0xd5, PCMU: 0xff };

const VERSION_2 = 0x80;

/** What has left a session. */
export interface SentCount {
  readonly packets: number;
  /** Of payload. */
  readonly octets: number;
}

/**
 * One RTP stream that leaves (RFC 3550 §5.1): one packet each time it is told to, with audio, silence or a digit in it. Sequence
 * numbers and timestamps go on whatever is played, and across pauses in which nothing may be sent.
 */
export class AudioSender {
  readonly ssrc: number;
  readonly #send: (packet: Uint8Array) => void;
  #sequence: number;
  #timestamp: number;
  #codec: G711Codec = 'PCMA';
  #payloadType = 8;
  #eventPayloadType: number | undefined;
  #events = new EventSender();
  #samples = 160;
  /** True before the first packet of a talk spurt: RFC 3551 §4.1. */
  #marker = true;
  #packets = 0;
  #octets = 0;

  /** @param send takes a packet, which is its own from then on */
  constructor(random: Random, send: (packet: Uint8Array) => void) {
    this.#send = send;
    const words = new DataView(Uint8Array.from(random.bytes(10)).buffer);
    this.ssrc = words.getUint32(0);
    this.#timestamp = words.getUint32(4);
    // Low enough for SRTP's estimate of the roll-over to begin with (RFC 3711 §3.3.1).
    this.#sequence = words.getUint16(8) >>> 1;
  }

  get count(): SentCount {
    return { packets: this.#packets, octets: this.#octets };
  }

  /** Of the next packet. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Whether a key is down or waits to be pressed. */
  get pressing(): boolean {
    return this.#eventPayloadType !== undefined && this.#events.busy;
  }

  /** Whether the peer takes digits as events. */
  get hasEvents(): boolean {
    return this.#eventPayloadType !== undefined;
  }

  /** What has been agreed, from the next packet on. */
  agree(agreed: AgreedAudio): void {
    const samples = agreed.ptimeMs * SAMPLES_A_MS;
    // Keys that wait were meant for the stream as it was.
    if (samples !== this.#samples || agreed.eventPayloadType !== this.#eventPayloadType) {
      this.#events = new EventSender({ ptimeMs: agreed.ptimeMs });
    }
    this.#samples = samples;
    this.#codec = agreed.codec;
    this.#payloadType = agreed.payloadType;
    this.#eventPayloadType = agreed.eventPayloadType;
  }

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for what is no digit */
  press(digits: string, options?: PressOptions): void {
    this.#events.press(digits, options);
  }

  releaseKeys(): void {
    this.#events.cancel();
  }

  /** Time passes in which nothing is sent. */
  skip(samples: number): void {
    this.#timestamp = (this.#timestamp + samples) >>> 0;
    this.#marker = true;
  }

  /** Sends a packet of the digit that is being pressed. False: there is none, send audio. */
  sendEvent(): boolean {
    if (this.#eventPayloadType === undefined) return false;
    const event = this.#events.tick(this.#timestamp);
    if (event === undefined) return false;
    const packet = this.#packet(this.#eventPayloadType, event.timestamp, event.payload.length);
    setMarker(packet, event.marker);
    packet.set(event.payload, RTP_HEADER_BYTES);
    this.#finish(packet);
    return true;
  }

  /** Sends samples; as many as the packet time asks for. */
  sendPcm(pcm: Int16Array): void {
    const packet = this.#audioPacket();
    if (this.#codec === 'PCMA') G711.encodeAlawInto(pcm, packet, RTP_HEADER_BYTES);
    else G711.encodeUlawInto(pcm, packet, RTP_HEADER_BYTES);
    this.#finish(packet);
  }

  /** Sends what the source has encoded, and silence for what is missing. */
  sendEncoded(source: EncodedSource): void {
    const packet = this.#audioPacket();
    const payload = packet.subarray(RTP_HEADER_BYTES);
    payload.fill(SILENCE[this.#codec], source.readEncoded(this.#codec, payload));
    this.#finish(packet);
  }

  sendSilence(): void {
    const packet = this.#audioPacket();
    packet.fill(SILENCE[this.#codec], RTP_HEADER_BYTES);
    this.#finish(packet);
  }

  #audioPacket(): Uint8Array {
    const packet = this.#packet(this.#payloadType, this.#timestamp, this.#samples);
    setMarker(packet, this.#marker);
    this.#marker = false;
    return packet;
  }

  #packet(payloadType: number, timestamp: number, payloadBytes: number): Uint8Array {
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payloadBytes);
    packet[0] = VERSION_2;
    packet[1] = 0;
    setPayloadType(packet, payloadType);
    setSequence(packet, this.#sequence);
    setTimestamp(packet, timestamp);
    setSsrc(packet, this.ssrc);
    return packet;
  }

  #finish(packet: Uint8Array): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#samples) >>> 0;
    this.#packets++;
    this.#octets += packet.length - RTP_HEADER_BYTES;
    this.#send(packet);
  }
}
