import { isWildcardAddress, type SocketAddress } from '../../base/ip.js';
import type { SdpCodec } from '../../protocol/sdp/attributes.js';
import { receives, type SdpDirection, sends } from '../../protocol/sdp/direction.js';
import type { Sdp } from '../../protocol/sdp/lines.js';
import { isSecure, mediaSummary, type SdpStream } from '../../protocol/sdp/media.js';
import { agreedDirection } from '../../protocol/sdp/offer-answer.js';
import type { AgreedCrypto } from '../../protocol/srtp/crypto-negotiation.js';
import type { G711Codec } from '../audio/audio-source.js';
import { agreedCrypto } from './session-crypto.js';

/** What an exchange of descriptions has come to, for the one audio stream of a session. */
export interface AgreedAudio {
  /** What we send. */
  readonly codec: G711Codec;
  /** The payload type that the peer gave to it. */
  readonly payloadType: number;
  /** The payload type that the peer gave to telephone-event (RFC 4733); absent: it takes none. */
  readonly eventPayloadType?: number;
  /** What may come, by the payload types of our own description. */
  readonly expected: ReadonlyMap<number, G711Codec | 'event'>;
  /** Of the packets that we send: 10 to 60, a multiple of 10. */
  readonly ptimeMs: number;
  readonly sending: boolean;
  readonly receiving: boolean;
  readonly direction: SdpDirection;
  /** Where the peer receives; absent where it named 0.0.0.0, a hold of the old kind. */
  readonly remote?: SocketAddress;
  readonly remoteRtcp?: SocketAddress;
  /** RTP and RTCP share a port (RFC 5761). */
  readonly rtcpMux: boolean;
  /** The keys of SRTP (RFC 4568); absent: RTP goes in the clear. */
  readonly crypto?: AgreedCrypto;
}

/** The packet time unless the peer asks for another (RFC 3551 §4.2). */
export const USUAL_PTIME_MS = 20;
const LONGEST_PTIME_MS = 60;

/** Whether a format of a description is one of ours. */
export function g711Of(codec: SdpCodec): G711Codec | undefined {
  if (codec.clockRate !== 8000 || codec.channels !== 1) return undefined;
  const name = codec.name.toUpperCase();
  return name === 'PCMA' || name === 'PCMU' ? name : undefined;
}

export function isEvent(codec: SdpCodec): boolean {
  return codec.clockRate === 8000 && codec.name.toLowerCase() === 'telephone-event';
}

/** The packet time that a peer wants: what it says, if the beat of our clock allows it, within its longest. */
export function packetTime(stream: SdpStream): number {
  const { ptimeMs = USUAL_PTIME_MS, maxPtimeMs = LONGEST_PTIME_MS } = stream;
  const wanted = Math.min(ptimeMs, maxPtimeMs, LONGEST_PTIME_MS);
  return Math.max(10, Math.floor(wanted / 10) * 10);
}

/**
 * Reads two descriptions that answer each other. `answer` says which of them chose among the codecs.
 * Undefined if the stream at `index` is not in use, has no codec that we know, or is to be secure without a key.
 */
export function agreeOn(local: Sdp, remote: Sdp, index: number, answer: 'local' | 'remote'): AgreedAudio | undefined {
  const ours = mediaSummary(local)[index];
  const theirs = mediaSummary(remote)[index];
  if (ours === undefined || theirs === undefined || !ours.active || !theirs.active) return undefined;
  const common = commonCodecs(ours, theirs);
  const chosen = answer === 'local' ? ours : theirs;
  const codec = chosen.codecs.map(g711Of).find((each) => each !== undefined && common.has(each));
  if (codec === undefined) return undefined;
  const payloadType = common.get(codec) as number;
  const secure = isSecure(ours.protocol);
  const crypto = secure ? agreedCrypto(ours.section, theirs.section, answer) : undefined;
  if (secure && crypto === undefined) return undefined;
  const event = ours.codecs.some(isEvent) ? theirs.codecs.find(isEvent) : undefined;
  const direction = agreedDirection(ours.direction, theirs.direction);
  const { address } = theirs;
  const reachable = address !== undefined && !isWildcardAddress(address);
  return {
    codec,
    payloadType,
    ...(event === undefined ? {} : { eventPayloadType: event.payloadType }),
    expected: expectedOf(ours),
    ptimeMs: packetTime(theirs),
    sending: sends(direction) && reachable,
    receiving: receives(direction),
    direction,
    ...(reachable ? { remote: { address, port: theirs.port }, remoteRtcp: { address, port: theirs.rtcpPort } } : {}),
    rtcpMux: ours.rtcpMux && theirs.rtcpMux,
    ...(crypto === undefined ? {} : { crypto }),
  };
}

/** What both know, with the payload types of `theirs`. */
function commonCodecs(ours: SdpStream, theirs: SdpStream): ReadonlyMap<G711Codec, number> {
  const known = new Set(ours.codecs.map(g711Of));
  const common = new Map<G711Codec, number>();
  for (const codec of theirs.codecs) {
    const name = g711Of(codec);
    if (name !== undefined && known.has(name) && !common.has(name)) common.set(name, codec.payloadType);
  }
  return common;
}

function expectedOf(ours: SdpStream): ReadonlyMap<number, G711Codec | 'event'> {
  const expected = new Map<number, G711Codec | 'event'>();
  for (const codec of ours.codecs) {
    const kind = g711Of(codec) ?? (isEvent(codec) ? 'event' : undefined);
    if (kind !== undefined) expected.set(codec.payloadType, kind);
  }
  return expected;
}
