import type { Clock, Millis } from '../../base/clock.js';
import type { SocketAddress } from '../../base/ip.js';
import type { Network, UdpSocket } from '../../net/network.js';
import { datagramKind } from '../../protocol/rtp/demultiplex.js';
import { payloadType } from '../../protocol/rtp/packet.js';
import { ReceiverStatistics } from '../../protocol/rtp/receiver-statistics.js';
import type { SdpCodec } from '../../protocol/sdp/attributes.js';
import type { PortPool } from '../port-pool.js';
import { RtpPorts } from '../rtp-ports.js';
import type { RelayCounters } from './relay-counters.js';
import { RtcpLatch } from './rtcp-latch.js';
import { type LearningRule, SourceLatch } from './source-latch.js';
import type { StreamDescription } from './stream-description.js';

/** What all sides of a relay share. */
export interface SideContext {
  readonly network: Pick<Network, 'openUdp'>;
  readonly pool: PortPool;
  readonly clock: Clock;
  readonly counters: RelayCounters;
  readonly learning: LearningRule;
}

/** No media packet is longer: jumbo frames have room for it. */
const LONGEST_PACKET = 9_000;
/** Of one peer in a second: five times the largest video. More is a flood, or goes in a circle. */
const MOST_PACKETS = 5_000;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * The end of a stream that faces one leg: a pair of ports, where the leg's packets are judged and counted, and from which the leg is sent
 * what came in at the other side. Packets pass as they are, without a copy; nothing is allocated for one.
 */
export class RelaySide {
  readonly legId: string;
  readonly source: SourceLatch;
  readonly rtcpSource: RtcpLatch;
  readonly #context: SideContext;
  readonly #statistics = new ReceiverStatistics();
  #ports: RtpPorts | undefined;
  /** That of `#ports`, one step nearer. */
  #rtp: UdpSocket | undefined;
  #other: RelaySide | undefined;
  #described: StreamDescription | undefined;
  #isRtp = true;
  #packetsReceived = 0;
  #bytesReceived = 0;
  #packetsDropped = 0;
  #thisSecond = 0;
  #payloadType = -1;
  #controlAt: Millis = NEVER;
  #strayAt: Millis = NEVER;

  private constructor(legId: string, context: SideContext) {
    this.legId = legId;
    this.#context = context;
    this.source = new SourceLatch(context.learning);
    this.rtcpSource = new RtcpLatch(this.source);
  }

  /** Opens a pair of ports on `address` for a leg. @throws MediaError (MEDIA_NO_PORT), ListenError */
  static async open(legId: string, address: string, context: SideContext): Promise<RelaySide> {
    const side = new RelaySide(legId, context);
    side.#ports = await RtpPorts.open({
      network: context.network,
      pool: context.pool,
      address,
      onRtp: (data, from) => side.#onRtp(data, from),
      onRtcp: (data, from) => side.#onRtcp(data, from),
    });
    side.#rtp = side.#ports.rtp;
    return side;
  }

  /** From here on what comes in at one of the two leaves by the other. */
  static join(a: RelaySide, b: RelaySide): void {
    a.#other = b;
    b.#other = a;
  }

  get ports(): RtpPorts {
    // Only `open` makes a side, and it gives it its ports.
    return this.#ports as RtpPorts;
  }

  /** What the leg has said last of this stream. */
  get described(): StreamDescription | undefined {
    return this.#described;
  }

  /** When the leg's media has last come; −∞: never. */
  get heardAt(): Millis {
    return this.source.heardAt;
  }

  /** As `heardAt`, and RTCP counts as well. */
  get aliveAt(): Millis {
    return Math.max(this.source.heardAt, this.#controlAt);
  }

  /** When media was last refused because of where it came from. */
  get strayAt(): Millis {
    return this.#strayAt;
  }

  get packetsReceived(): number {
    return this.#packetsReceived;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get packetsDropped(): number {
    return this.#packetsDropped;
  }

  get statistics(): ReceiverStatistics {
    return this.#statistics;
  }

  /** The leg has described this stream: where it is, unless it says that it is where we are. */
  describe(description: StreamDescription, signalling: string | undefined): void {
    this.#described = description;
    this.#isRtp = description.kind !== 'datagrams';
    this.#payloadType = -1;
    this.source.describe(this.#elsewhere(description.rtp), signalling);
    this.rtcpSource.describe(this.#elsewhere(description.rtcp));
  }

  /** A second has gone by. */
  tick(): void {
    this.#thisSecond = 0;
  }

  /** `unused`: nobody was told of its ports. */
  close(unused = false): Promise<void> {
    return this.ports.close(unused);
  }

  #elsewhere(address: SocketAddress | undefined): SocketAddress | undefined {
    const isOurs = (side: RelaySide | undefined): boolean =>
      side !== undefined &&
      address?.address === side.ports.local.address &&
      (address.port === side.ports.local.port || address.port === side.ports.rtcp.local.port);
    return isOurs(this) || isOurs(this.#other) ? undefined : address;
  }

  #onRtp(data: Uint8Array, from: SocketAddress): void {
    if (!this.#fits(data)) return;
    if (!this.#isRtp) {
      this.#onDatagram(data, from);
      return;
    }
    switch (datagramKind(data)) {
      case 'rtp':
        this.#onMedia(data, from);
        return;
      case 'rtcp':
        if (this.source.knows(from)) this.#onControl(data);
        else this.#drop('strangers');
        return;
      case 'dtls':
        // The keys of SRTP, end to end (RFC 5764). They come before media, and teach us nothing.
        if (this.source.knows(from)) this.#pass(data);
        else this.#drop('strangers');
        return;
      case 'stun':
        this.#drop('stun');
        return;
      case 'other':
        this.#drop('malformed');
    }
  }

  #onMedia(data: Uint8Array, from: SocketAddress): void {
    const now = this.#context.clock.now();
    const verdict = this.source.receive(data, from, now);
    if (verdict !== 'taken') {
      if (verdict === 'stranger') this.#strayAt = now;
      this.#drop(verdict === 'stranger' ? 'strangers' : 'learning');
      return;
    }
    if (!this.#mayPass()) return;
    this.#count(data);
    const type = payloadType(data);
    if (type !== this.#payloadType) this.#onPayloadType(type);
    this.#statistics.receive(data, now);
    this.#onward(data);
  }

  /** Jitter is measured in the clock of what is sent; its number is from the receiver's description (RFC 3264 §5.1). */
  #onPayloadType(type: number): void {
    this.#payloadType = type;
    const isIt = ({ payloadType: known }: SdpCodec): boolean => known === type;
    const codec = this.#other?.described?.codecs.find(isIt) ?? this.#described?.codecs.find(isIt);
    this.#statistics.clockRate = codec?.clockRate ?? 0;
  }

  #onDatagram(data: Uint8Array, from: SocketAddress): void {
    const now = this.#context.clock.now();
    const verdict = this.source.receiveDatagram(from, now);
    if (verdict !== 'taken') {
      this.#drop(verdict === 'stranger' ? 'strangers' : 'learning');
      return;
    }
    if (!this.#mayPass()) return;
    this.#count(data);
    this.#onward(data);
  }

  #onRtcp(data: Uint8Array, from: SocketAddress): void {
    if (!this.#fits(data)) return;
    const kind = datagramKind(data);
    if (kind === 'stun') this.#drop('stun');
    else if (kind !== 'rtcp') this.#drop('malformed');
    else if (this.rtcpSource.receive(from, this.#context.clock.now())) this.#onControl(data);
    else this.#drop('strangers');
  }

  #onControl(data: Uint8Array): void {
    if (!this.#mayPass()) return;
    this.#controlAt = this.#context.clock.now();
    const other = this.#other;
    if (other !== undefined) other.#sendControl(data);
  }

  #pass(data: Uint8Array): void {
    if (!this.#mayPass()) return;
    this.#controlAt = this.#context.clock.now();
    this.#onward(data);
  }

  #count(data: Uint8Array): void {
    this.#packetsReceived++;
    this.#bytesReceived += data.length;
  }

  #onward(data: Uint8Array): void {
    const other = this.#other;
    if (other !== undefined) other.#sendMedia(data);
  }

  #sendMedia(data: Uint8Array): void {
    const to = this.source.target;
    if (to === undefined) {
      this.#context.counters.nowhere++;
      return;
    }
    this.#context.counters.relayed++;
    this.#rtp?.send(data, to);
  }

  /** On RTP's port where both legs want it there (RFC 5761 §5.1). */
  #sendControl(data: Uint8Array): void {
    const muxed = this.#described?.rtcpMux === true && this.#other?.described?.rtcpMux === true;
    if (muxed) {
      this.#sendMedia(data);
      return;
    }
    const to = this.rtcpSource.target;
    if (to === undefined) {
      this.#context.counters.nowhere++;
      return;
    }
    this.#context.counters.relayed++;
    this.ports.sendRtcp(data, to);
  }

  #fits(data: Uint8Array): boolean {
    if (data.length <= LONGEST_PACKET) return true;
    this.#drop('malformed');
    return false;
  }

  /** Whether one more of the peer's packets may pass. Strangers' do not count: they must not take the peer's share. */
  #mayPass(): boolean {
    if (++this.#thisSecond <= MOST_PACKETS) return true;
    this.#drop('flood');
    return false;
  }

  #drop(why: Exclude<keyof RelayCounters, 'relayed' | 'nowhere'>): void {
    this.#packetsDropped++;
    this.#context.counters[why]++;
  }
}
