import assert from 'node:assert/strict';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import type { MediaEngine, MediaExchange } from '../media/media-engine.js';
import { parseSdp } from '../protocol/sdp/lines.js';
import { mediaSummary, type SdpStream } from '../protocol/sdp/media.js';

/** Machines that the parties of the contract stand on: each has an address of its own. */
export type BenchHost = 'a' | 'b' | 'c' | 'stranger';

/** A socket of a party. */
export interface MediaPeer {
  readonly local: SocketAddress;
  readonly received: readonly { readonly data: Uint8Array; readonly from: SocketAddress }[];
  send(data: Uint8Array, to: SocketAddress): void;
}

/** What the contract of media engines works with: one engine, and parties around it, on a virtual network or a real one. */
export interface MediaBench {
  readonly engine: MediaEngine;
  /** The time-outs with which the engine was made, in milliseconds. */
  readonly times: { readonly oneWayMs: number; readonly callMs: number };
  /** A fresh UDP socket on that machine. Family 6 only where the bench was said to have it. */
  readonly openPeer: (host: BenchHost, family?: 4 | 6) => Promise<MediaPeer>;
  /** Lets so much time pass; what was sent before arrives meanwhile. */
  elapse(ms: number): Promise<void>;
  /** Closes the engine and the sockets. */
  close(): Promise<void>;
}

/** A case of the contract before it is given its bench. */
export type MediaEngineCase = readonly [name: string, test: (bench: MediaBench) => Promise<void>];

/** One m= line as a case describes it. */
export interface StreamOptions {
  /** Port 0 and no address: refused. */
  readonly at?: SocketAddress;
  readonly type?: string;
  readonly protocol?: string;
  readonly formats?: string;
  /** Lines without their ends, such as `a=rtcp-mux`. */
  readonly lines?: readonly string[];
}

/** A description that names the address of each stream at the stream. */
export function description(streams: readonly StreamOptions[], sessionLines: readonly string[] = []): string {
  const lines = ['v=0', 'o=- 20 1 IN IP4 198.51.100.9', 's=call', 't=0 0', ...sessionLines];
  for (const { at, type = 'audio', protocol = 'RTP/AVP', formats = '0', lines: more = [] } of streams) {
    lines.push(`m=${type} ${at?.port ?? 0} ${protocol} ${formats}`);
    if (at !== undefined) lines.push(`c=IN IP${ipVersion(at.address)} ${at.address}`);
    lines.push(...more);
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** The streams of a description that the engine gave. */
export function streamsOf(sdp: string): readonly SdpStream[] {
  return mediaSummary(parseSdp(sdp));
}

/** Where packets of the stream at `index` are to go. */
export function target(sdp: string, index = 0): SocketAddress {
  const stream = streamsOf(sdp)[index];
  assert.ok(stream?.address !== undefined && stream.active, `stream ${index} has an address and a port`);
  return { address: stream.address, port: stream.port };
}

/** Where its RTCP is to go. */
export function rtcpTarget(sdp: string, index = 0): SocketAddress {
  return { address: target(sdp, index).address, port: streamsOf(sdp)[index]?.rtcpPort ?? 0 };
}

/** Between two legs of the one call of a case. */
export function between(fromLeg: string, toLeg: string, sdp: string, more: Partial<MediaExchange> = {}): MediaExchange {
  return { tenantId: 'default', callId: 'contract', fromLeg, toLeg, sdp, ...more };
}

/** An RTP packet with 160 bytes of PCMU that tell who sent it, and when. */
export function rtpPacket(ssrc: number, sequence: number): Uint8Array {
  const packet = Buffer.alloc(172, ssrc & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 160) >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

/** A receiver report without blocks (RFC 3550 §6.4.2). */
export function rtcpPacket(ssrc: number): Uint8Array {
  const packet = Buffer.alloc(8);
  packet.writeUInt32BE(0x80c90001, 0);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

/** Who sends to whom. `ssrc` tells the talkers of a case apart. */
export interface Talk {
  readonly peer: MediaPeer;
  readonly to: SocketAddress;
  readonly ssrc: number;
}

/** All talk at once, a packet every 20 ms each. */
export async function talk(bench: MediaBench, talks: readonly Talk[], packets = 20, firstSequence = 1): Promise<void> {
  for (let i = 0; i < packets; i++) {
    for (const { peer, to, ssrc } of talks) peer.send(rtpPacket(ssrc, firstSequence + i), to);
    await bench.elapse(20);
  }
  await bench.elapse(100);
}

/** The sequence numbers of `ssrc` that a party has received. */
export function heard(peer: MediaPeer, ssrc: number): readonly number[] {
  return peer.received
    .map(({ data }) => Buffer.from(data))
    .filter((data) => data.length >= 12 && data.readUInt32BE(8) === ssrc)
    .map((data) => data.readUInt16BE(2));
}

/** That `ssrc` was heard to the end of a `talk`, whatever was lost while its source was being learned. */
export function assertHeard(peer: MediaPeer, ssrc: number, last = 20): void {
  assert.deepEqual(
    heard(peer, ssrc).slice(-5),
    [last - 4, last - 3, last - 2, last - 1, last],
    `the packets of ${ssrc}`,
  );
}

/** Two parties with one audio stream each, who have been told of each other. */
export interface Joined {
  readonly a: MediaPeer;
  readonly b: MediaPeer;
  /** Where `a` is to send, as it was told in the answer. */
  readonly aSendsTo: SocketAddress;
  /** Where `b` is to send, as it was told in the offer. */
  readonly bSendsTo: SocketAddress;
}

/** Leg `a` offers one audio stream, leg `b` takes it. */
export async function join(bench: MediaBench, lines: readonly string[] = []): Promise<Joined> {
  const [a, b] = [await bench.openPeer('a'), await bench.openPeer('b')];
  const offered = await bench.engine.offer(between('a', 'b', description([{ at: a.local, lines }])));
  const answered = await bench.engine.answer(between('b', 'a', description([{ at: b.local, lines }])));
  return { a, b, aSendsTo: target(answered), bSendsTo: target(offered) };
}
