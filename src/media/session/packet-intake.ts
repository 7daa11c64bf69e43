import type { Clock } from '../../base/clock.js';
import type { SocketAddress } from '../../base/ip.js';
import { datagramKind } from '../../protocol/rtp/demultiplex.js';
import type { RtcpLatch } from '../relay/rtcp-latch.js';
import type { SourceLatch } from '../relay/source-latch.js';
import type { AgreedAudio } from './agreed-audio.js';
import type { AudioReceiver } from './audio-receiver.js';
import type { MediaCipher } from './media-cipher.js';
import type { RtcpReporter } from './rtcp-reporter.js';

export interface PacketIntakeParts {
  /** What was agreed on, at present. */
  readonly agreed: () => AgreedAudio | undefined;
  readonly latch: SourceLatch;
  readonly rtcpLatch: RtcpLatch;
  readonly cipher: MediaCipher;
  readonly receiver: AudioReceiver;
  readonly reporter: RtcpReporter;
  readonly clock: Clock;
}

/**
 * What becomes of the datagrams that come to the two ports of a session: audio and digits to the receiver, RTCP to the reporter (on RTP's
 * port, too: RFC 5761 §4), all others counted, each in one place.
 */
export class PacketIntake {
  readonly #parts: PacketIntakeParts;
  #strangers = 0;
  #ignored = 0;

  constructor(parts: PacketIntakeParts) {
    this.#parts = parts;
  }

  /** Datagrams of others than the peer. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Those that are the peer's, or may be, and are not wanted: before an agreement, while it is learned, while nothing is received. */
  get ignored(): number {
    return this.#ignored;
  }

  /** On the port of RTP. */
  rtp(data: Uint8Array, from: SocketAddress): void {
    const { latch, cipher, receiver, clock } = this.#parts;
    const agreed = this.#parts.agreed();
    if (agreed === undefined) {
      this.#ignored++;
      return;
    }
    const kind = datagramKind(data);
    if (kind !== 'rtp') {
      if (!latch.knows(from)) this.#strangers++;
      else if (kind === 'rtcp') this.#takeRtcp(data);
      else receiver.refuse();
      return;
    }
    const now = clock.now();
    if (!latch.allows(from.address)) {
      this.#strangers++;
      return;
    }
    // Only what is genuine teaches us where the peer is; what is not has been counted as such.
    const packet = cipher.unprotect(data, 'rtp');
    if (packet === undefined) return;
    const verdict = latch.receive(packet, from, now);
    if (verdict === 'stranger') this.#strangers++;
    else if (verdict === 'learning' || !agreed.receiving) this.#ignored++;
    else receiver.receive(packet, now);
  }

  /** On the port of RTCP. */
  rtcp(data: Uint8Array, from: SocketAddress): void {
    const { agreed, rtcpLatch, clock } = this.#parts;
    if (agreed() === undefined) this.#ignored++;
    else if (rtcpLatch.receive(from, clock.now())) this.#takeRtcp(data);
    else this.#strangers++;
  }

  #takeRtcp(data: Uint8Array): void {
    const { cipher, reporter } = this.#parts;
    const packet = cipher.unprotect(data, 'rtcp');
    if (packet !== undefined) reporter.receive(packet);
  }
}
