import type { SocketAddress } from '../../../src/base/ip.js';
import { PortPool } from '../../../src/media/port-pool.js';
import { MediaClock } from '../../../src/media/session/media-clock.js';
import { MediaSession } from '../../../src/media/session/media-session.js';
import type { MediaSessionOptions } from '../../../src/media/session/media-session-options.js';
import type { UdpSocket } from '../../../src/net/network.js';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { GoertzelBank } from '../../../src/protocol/audio/goertzel.js';
import {
  marker,
  payloadEnd,
  payloadOffset,
  payloadType,
  RTP_HEADER_BYTES,
  sequenceOf,
  ssrcOf,
  timestampOf,
  writeRtp,
} from '../../../src/protocol/rtp/packet.js';
import { createWorld, type World, type WorldOptions } from '../../../src/testing/world.js';

export const SERVER = '192.0.2.1';
export const PHONE = '10.0.0.9';

/** A packet as the phone got it. */
export interface Heard {
  readonly at: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

/** A world with a server that has a media clock and ports, and phones that send and take RTP by hand. */
export class Studio {
  readonly world: World;
  readonly clock: MediaClock;
  readonly ports: PortPool;

  constructor(options: Partial<WorldOptions> = {}) {
    this.world = createWorld({ seed: 'studio', ...options });
    const { scheduler, random, logger } = this.world.ports;
    this.clock = new MediaClock({ scheduler, logger });
    this.ports = new PortPool({ scheduler, random });
  }

  async session(options: Partial<MediaSessionOptions> = {}): Promise<MediaSession> {
    const session = await MediaSession.open({
      ...this.world.ports,
      clock: this.clock,
      ports: this.ports,
      address: SERVER,
      ...options,
    });
    return this.world.use(session);
  }

  async phone(options: PhoneOptions = {}): Promise<RtpPhone> {
    const { address = PHONE, port = 4000 } = options;
    const host =
      this.world.network.hosts.find((each) => each.addresses.includes(address)) ??
      this.world.host(address, address).host;
    return this.world.use(await RtpPhone.open(host, { address, port }, this.world));
  }

  advance(ms: number): Promise<void> {
    return this.world.advance({ ms });
  }

  close(): Promise<void> {
    return this.world.close();
  }
}

export interface PhoneOptions {
  readonly address?: string;
  readonly port?: number;
}

/** A phone's media end: says what it is told to say, and keeps what it hears. */
export class RtpPhone {
  readonly heard: Heard[] = [];
  readonly rtcp: Uint8Array[] = [];
  readonly local: SocketAddress;
  readonly #world: World;
  readonly #sockets: readonly [UdpSocket, UdpSocket];
  sequence = 100;
  timestamp = 5000;
  ssrc = 0x1234;

  private constructor(sockets: readonly [UdpSocket, UdpSocket], world: World) {
    this.#sockets = sockets;
    this.#world = world;
    this.local = sockets[0].local;
  }

  static async open(
    host: { openUdp: World['ports']['network']['openUdp'] },
    local: SocketAddress,
    world: World,
  ): Promise<RtpPhone> {
    const holder: { phone?: RtpPhone } = {};
    const onError = (): void => {};
    const rtp = await host.openUdp({ local, onError, onMessage: (data) => holder.phone?.onRtp(data) });
    const rtcp = await host.openUdp({
      local: { address: local.address, port: local.port + 1 },
      onError,
      onMessage: (data) => void holder.phone?.rtcp.push(data),
    });
    holder.phone = new RtpPhone([rtp, rtcp], world);
    return holder.phone;
  }

  /** An offer of this phone. */
  offer(options: OfferOptions = {}): string {
    return offerOf(this.local, options);
  }

  onRtp(data: Uint8Array): void {
    if (((data[1] ?? 0) & 0x7f) >= 64 && ((data[1] ?? 0) & 0x7f) < 96) {
      this.rtcp.push(data);
      return;
    }
    this.heard.push({
      at: this.#world.clock.now(),
      payloadType: payloadType(data),
      marker: marker(data),
      sequence: sequenceOf(data),
      timestamp: timestampOf(data),
      ssrc: ssrcOf(data),
      payload: data.subarray(payloadOffset(data), payloadEnd(data)),
    });
  }

  raw(data: Uint8Array, to: SocketAddress): void {
    this.#sockets[0].send(data, to);
  }

  rawRtcp(data: Uint8Array, to: SocketAddress): void {
    this.#sockets[1].send(data, to);
  }

  /** One packet; counters go on. `skip`: the packet is lost, but counted. */
  say(payload: Uint8Array, to: SocketAddress, options: SayOptions = {}): void {
    const data = new Uint8Array(RTP_HEADER_BYTES + payload.length);
    const {
      payloadType: type = 8,
      samples = payload.length,
      marker: marked = false,
      timestamp = this.timestamp,
    } = options;
    const header = { payloadType: type, marker: marked, sequence: this.sequence, timestamp, ssrc: this.ssrc };
    writeRtp(data, header, payload);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + samples) >>> 0;
    if (options.skip !== true) this.#sockets[0].send(data, to);
  }

  /** One packet of samples. */
  sayPcm(samples: Int16Array, to: SocketAddress, law: 'PCMA' | 'PCMU'): void {
    if (law === 'PCMA') this.say(G711.encodeAlaw(samples), to, { payloadType: 8 });
    else this.say(G711.encodeUlaw(samples), to, { payloadType: 0 });
  }

  /** Says samples at an even pace, `ptimeMs` each packet. */
  async talk(samples: Int16Array, to: SocketAddress, options: TalkOptions = {}): Promise<void> {
    const { ptimeMs = 20, law = 'PCMA', payloadType: type = law === 'PCMA' ? 8 : 0 } = options;
    const step = ptimeMs * 8;
    for (let at = 0, i = 0; at + step <= samples.length; at += step, i++) {
      const block = samples.subarray(at, at + step);
      const payload = law === 'PCMA' ? G711.encodeAlaw(block) : G711.encodeUlaw(block);
      this.say(payload, to, { payloadType: type, skip: options.lose?.(i) === true });
      await this.#world.advance({ ms: ptimeMs });
    }
  }

  /** All audio heard so far, in the order of its timestamps, as samples. */
  samples(law: 'PCMA' | 'PCMU' = 'PCMA'): Int16Array {
    const packets = this.heard.filter(({ payloadType: type }) => type === (law === 'PCMA' ? 8 : 0));
    const blocks = packets.map(({ payload }) => (law === 'PCMA' ? G711.decodeAlaw(payload) : G711.decodeUlaw(payload)));
    return joined(blocks);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) await socket.close();
  }
}

export interface SayOptions {
  readonly payloadType?: number;
  readonly samples?: number;
  readonly marker?: boolean;
  readonly timestamp?: number;
  readonly skip?: boolean;
}

export interface TalkOptions {
  readonly ptimeMs?: number;
  readonly law?: 'PCMA' | 'PCMU';
  readonly payloadType?: number;
  readonly lose?: (packet: number) => boolean;
}

export interface OfferOptions {
  /** Lines of formats: `8 PCMA/8000`. Default PCMA, PCMU, telephone-event as 101. */
  readonly formats?: readonly string[];
  readonly ptimeMs?: number;
  readonly direction?: string;
  readonly address?: string;
  readonly protocol?: string;
  /** Further `a=` lines of the stream, without `a=`. */
  readonly attributes?: readonly string[];
  /** Whole media sections before and after the audio stream. */
  readonly before?: string;
  readonly after?: string;
}

/** The text of an offer as phones write them. */
export function offerOf(local: SocketAddress, options: OfferOptions = {}): string {
  const { formats = ['8 PCMA/8000', '0 PCMU/8000', '101 telephone-event/8000'], direction, ptimeMs } = options;
  const { address = local.address, protocol = 'RTP/AVP', attributes = [], before = '', after = '' } = options;
  const types = formats.map((format) => format.split(' ')[0]).join(' ');
  const lines = [
    'v=0',
    `o=- 7 7 IN IP4 ${local.address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    ...before.split('\n').filter((line) => line !== ''),
    `m=audio ${local.port} ${protocol} ${types}`,
    ...formats.map((format) => `a=rtpmap:${format}`),
    ...(ptimeMs === undefined ? [] : [`a=ptime:${ptimeMs}`]),
    ...(direction === undefined ? [] : [`a=${direction}`]),
    ...attributes.map((each) => `a=${each}`),
    ...after.split('\n').filter((line) => line !== ''),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Where an SDP of ours says that we receive. */
export function audioPort(sdp: string): SocketAddress {
  const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  if (port === undefined || address === undefined) throw new Error(`no audio in ${sdp}`);
  return { address, port: Number(port) };
}

export function joined(blocks: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/** A sine of 8 kHz samples. */
export function sine(hz: number, ms: number, peak = 8000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_none, i) => Math.round(peak * Math.sin((2 * Math.PI * hz * i) / 8000)));
}

/** Which of some frequencies is the strongest, and its share of the power that there is: 1 is a pure sine. */
export function purity(pcm: Int16Array, hz: number): number {
  const block = Float64Array.from(pcm);
  const bank = new GoertzelBank([hz], 8000);
  bank.measure(block);
  const energy = block.reduce((sum, sample) => sum + sample ** 2, 0);
  return energy === 0 ? 0 : (2 * bank.power(0)) / (block.length * energy);
}

export function peak(pcm: Int16Array): number {
  return pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
}
