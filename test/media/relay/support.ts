import type { SocketAddress } from '../../../src/base/ip.js';
import type { MediaEngine } from '../../../src/media/media-engine.js';
import { MediaRelay, type MediaRelayOptions } from '../../../src/media/relay/media-relay.js';
import type { UdpSocket } from '../../../src/net/network.js';
import { RTP_HEADER_BYTES, ssrcOf, writeRtp } from '../../../src/protocol/rtp/packet.js';
import { createSdp, type SdpMediaOptions } from '../../../src/protocol/sdp/create.js';
import { parseSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';
import type { Machine } from '../../../src/testing/machine.js';
import type { World } from '../../../src/testing/world.js';

export const RELAY = '192.0.2.1';
const TENANT = 'office';

/** A relay on the world's own machine, closed with the world. */
export function relayIn(world: World, options: Partial<MediaRelayOptions> = {}): MediaRelay {
  const { network, scheduler, random, logger } = world.ports;
  return world.use(new MediaRelay({ network, scheduler, random, logger, addresses: [RELAY], ...options }));
}

interface PacketOptions {
  readonly sequence: number;
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly timestamp?: number;
  readonly text?: string;
}

/** An RTP packet with a text as its payload. */
export function rtpPacket(options: PacketOptions): Uint8Array {
  const { sequence, ssrc = 1, payloadType = 0, timestamp = sequence * 160, text = '' } = options;
  const payload = new Uint8Array(Buffer.from(text.padEnd(160, '.')));
  const out = new Uint8Array(RTP_HEADER_BYTES + payload.length);
  writeRtp(out, { payloadType, marker: false, sequence, timestamp, ssrc }, payload);
  return out;
}

/** An RTCP receiver report without blocks (RFC 3550 §6.4.2). */
export function rtcpPacket(ssrc = 1): Uint8Array {
  const bytes = new Uint8Array([0x80, 201, 0, 1, 0, 0, 0, 0]);
  new DataView(bytes.buffer).setUint32(4, ssrc);
  return bytes;
}

interface Heard {
  readonly ssrc: number;
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
  readonly at: number;
}

let ssrcs = 0x1000;

/** One RTP endpoint on a machine: an even port and the next one. */
export class Endpoint {
  readonly machine: Machine;
  readonly address: string;
  readonly heard: Heard[] = [];
  readonly heardRtcp: Heard[] = [];
  readonly ssrc = ++ssrcs;
  sequence = 100;
  #rtp: UdpSocket | undefined;
  #rtcp: UdpSocket | undefined;

  private constructor(machine: Machine) {
    this.machine = machine;
    this.address = machine.host.addresses[0] as string;
  }

  static async on(machine: Machine, port = 4000): Promise<Endpoint> {
    const endpoint = new Endpoint(machine);
    await endpoint.open(port);
    return endpoint;
  }

  /** Moves to another port. */
  async open(port: number): Promise<void> {
    await this.close();
    const listen = (at: number, heard: Heard[]): Promise<UdpSocket> =>
      this.machine.ports.network.openUdp({
        local: { address: this.address, port: at },
        onMessage: (bytes, from) =>
          heard.push({
            ssrc: bytes.length >= 12 ? ssrcOf(bytes) : 0,
            bytes,
            from,
            at: this.machine.ports.scheduler.now(),
          }),
        onError: (error) => {
          throw error;
        },
      });
    this.#rtp = await listen(port, this.heard);
    this.#rtcp = await listen(port + 1, this.heardRtcp);
  }

  get local(): SocketAddress {
    return (this.#rtp as UdpSocket).local;
  }

  get localRtcp(): SocketAddress {
    return (this.#rtcp as UdpSocket).local;
  }

  sdp(media: Partial<SdpMediaOptions> = {}, origin: { version?: number } = {}): string {
    return sdpText(
      createSdp({
        origin: { sessionId: this.ssrc, address: this.address, ...origin },
        media: [{ port: this.local.port, formats: ['0', '8'], ...media }],
      }),
    );
  }

  /** Sends one RTP packet. */
  say(to: SocketAddress, options: Partial<PacketOptions> = {}): void {
    this.send(to, rtpPacket({ sequence: this.sequence++ & 0xffff, ssrc: this.ssrc, ...options }));
  }

  send(to: SocketAddress, bytes: Uint8Array): void {
    this.#rtp?.send(bytes, to);
  }

  sendRtcp(to: SocketAddress, bytes = rtcpPacket(this.ssrc)): void {
    this.#rtcp?.send(bytes, to);
  }

  async close(): Promise<void> {
    await this.#rtp?.close();
    await this.#rtcp?.close();
  }
}

/** Where a stream of a description is to be sent. */
export function placeIn(sdp: string, index = 0): SocketAddress {
  const stream = mediaSummary(parseSdp(sdp))[index];
  if (stream?.address === undefined) throw new Error(`no address for stream ${index} in\n${sdp}`);
  return { address: stream.address, port: stream.port };
}

export const rtcpOf = ({ address, port }: SocketAddress): SocketAddress => ({ address, port: port + 1 });

/** One of a call's two legs: where its signalling is, and what it says. */
export interface Party {
  readonly endpoint: Endpoint;
  readonly legId: string;
  /** Where its signalling is seen to come from. */
  readonly seenAt?: string;
  readonly media?: Partial<SdpMediaOptions>;
}

/** As much of a party as an exchange names. */
type Speaker = Omit<Party, 'endpoint'> & { readonly endpoint: Pick<Endpoint, 'address'> };

interface SetUp {
  /** Where each leg sends to. */
  readonly forA: SocketAddress;
  readonly forB: SocketAddress;
  readonly toldA: string;
  readonly toldB: string;
}

export function exchangeOf(callId: string, from: Speaker, to: Speaker) {
  return {
    tenantId: TENANT,
    callId,
    fromLeg: from.legId,
    toLeg: to.legId,
    fromAddress: from.seenAt ?? from.endpoint.address,
    toAddress: to.seenAt ?? to.endpoint.address,
  };
}

/** A offers, B answers. */
export async function connect(engine: MediaEngine, callId: string, a: Party, b: Party): Promise<SetUp> {
  const toldB = await engine.offer({ ...exchangeOf(callId, a, b), sdp: a.endpoint.sdp(a.media) });
  const toldA = await engine.answer({ ...exchangeOf(callId, b, a), sdp: b.endpoint.sdp(b.media) });
  return { forA: placeIn(toldA), forB: placeIn(toldB), toldA, toldB };
}

/** Each endpoint says something to its place every 20 ms. */
export async function talk(
  world: World,
  packets: number,
  ...ways: readonly (readonly [Endpoint, SocketAddress])[]
): Promise<void> {
  for (let i = 0; i < packets; i++) {
    for (const [endpoint, to] of ways) endpoint.say(to);
    await world.advance({ ms: 20 });
  }
}
