import { UsageError } from '../../base/errors.js';
import { isWildcardAddress } from '../../base/ip.js';
import { attribute, codecsOf, millisecondsAttribute, type SdpCodec } from './attributes.js';
import { directionFrom, receives, type SdpDirection, sends, streamDirection } from './direction.js';
import {
  decimal,
  parseConnection,
  parseMediaLine,
  parseOrigin,
  type SdpConnection,
  type SdpMediaLine,
  type SdpOrigin,
} from './fields.js';
import type { Sdp, SdpSection } from './lines.js';

/** One stream of a description, with session-level values filled in. */
export interface SdpStream extends SdpMediaLine {
  /** Counted from 0; streams of an offer and its answer match by it (RFC 3264 §6). */
  readonly index: number;
  /** Port not 0: neither refused nor removed. */
  readonly active: boolean;
  /** From the stream's `c=`, else the session's; undefined if there is none. No brackets. */
  readonly address: string | undefined;
  readonly connection: SdpConnection | undefined;
  readonly direction: SdpDirection;
  /** In order of preference; empty for anything but RTP. */
  readonly codecs: readonly SdpCodec[];
  readonly ptimeMs: number | undefined;
  readonly maxPtimeMs: number | undefined;
  /** `a=rtcp-mux` (RFC 5761). */
  readonly rtcpMux: boolean;
  /** From `a=rtcp` (RFC 3605), else the port itself with `a=rtcp-mux`, else the next one. */
  readonly rtcpPort: number;
  /** `a=label`, `a=mid` and all others: see `attributesOf`. */
  readonly section: SdpSection;
}

/** Who made the description (`o=`). */
export function originOf(sdp: Sdp): SdpOrigin {
  const line = sdp.session.lines.find((candidate) => candidate.type === 'o');
  const origin = line === undefined ? undefined : parseOrigin(line.value);
  // parseSdp and createSdp let no description through without a good o= line.
  if (origin === undefined) {
    throw new UsageError('PBX_INVALID_ARGUMENT', 'this Sdp has no valid o= line; build one with createSdp or parseSdp');
  }
  return origin;
}

/** The session's `c=`. */
export function sessionConnection(sdp: Sdp): SdpConnection | undefined {
  return firstConnection(sdp.session);
}

/** The streams of a description: addresses, ports, codecs, directions. */
export function mediaSummary(sdp: Sdp): SdpStream[] {
  return sdp.media.map((section, index) => readStream(sdp, section, index));
}

function readStream(sdp: Sdp, section: SdpSection, index: number): SdpStream {
  const media = mediaLineOf(section);
  const connection = firstConnection(section) ?? firstConnection(sdp.session);
  const rtcpMux = attribute(section, 'rtcp-mux') !== undefined;
  const rtcp = attribute(section, 'rtcp')?.split(' ', 1)[0];
  return {
    ...media,
    index,
    active: media.port !== 0,
    connection,
    address: connection?.address,
    direction: streamDirection(sdp, section),
    codecs: isRtp(media.protocol) ? codecsOf(section, media.formats) : [],
    ptimeMs: millisecondsAttribute(section, 'ptime'),
    maxPtimeMs: millisecondsAttribute(section, 'maxptime'),
    rtcpMux,
    rtcpPort:
      (rtcp === undefined ? undefined : decimal(rtcp, 65_535)) ??
      (rtcpMux ? media.port : Math.min(media.port + 1, 65_535)),
    section,
  };
}

/** The `m=` line of a media section. */
export function mediaLineOf(section: SdpSection): SdpMediaLine {
  const line = section.lines[0];
  const media = line?.type === 'm' ? parseMediaLine(line.value) : undefined;
  if (media === undefined) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      'this media section begins with no valid m= line; use createSdp or parseSdp',
    );
  }
  return media;
}

/** Whether a protocol of an `m=` line is one of the RTP profiles. */
export function isRtp(protocol: string): boolean {
  return protocol.toUpperCase().includes('RTP/');
}

/** Whether a protocol of an `m=` line is one of the secure RTP profiles. */
export function isSecure(protocol: string): boolean {
  return protocol.toUpperCase().includes('SAVP');
}

function firstConnection(section: SdpSection): SdpConnection | undefined {
  const line = section.lines.find((candidate) => candidate.type === 'c');
  return line === undefined ? undefined : parseConnection(line.value);
}

/** Whether any stream is in use. False also for a description without streams. */
export function hasActiveMedia(sdp: Sdp): boolean {
  return sdp.media.some((section) => mediaLineOf(section).port !== 0);
}

/**
 * The direction of the stream at `index`; without it, of the description as a whole: it sends if any active stream sends,
 * and receives if any receives. Without active streams: inactive.
 */
export function directionOf(sdp: Sdp, index?: number): SdpDirection {
  if (index !== undefined) {
    const section = sdp.media[index];
    return section === undefined ? 'inactive' : streamDirection(sdp, section);
  }
  let send = false;
  let receive = false;
  for (const section of sdp.media) {
    if (mediaLineOf(section).port === 0) continue;
    const direction = streamDirection(sdp, section);
    send ||= sends(direction);
    receive ||= receives(direction);
  }
  return directionFrom({ send, receive });
}

/** How a description puts its receiver on hold. */
export type SdpHold = 'none' | 'sendonly' | 'inactive' | 'legacy';

/**
 * Whether the maker of this description wants no media (RFC 3264 §8.4): every active stream is sendonly or inactive, or names
 * the address 0.0.0.0 or :: (`legacy`, RFC 2543). Of mixed kinds the one that lets most media flow is told.
 * A WebRTC offer also names 0.0.0.0 before its candidates are known; a stream with `a=ice-ufrag` is therefore not held by it.
 */
export function isHold(sdp: Sdp): SdpHold {
  const kinds = new Set<SdpHold>();
  for (const section of sdp.media) {
    if (mediaLineOf(section).port !== 0) kinds.add(streamHold(sdp, section));
  }
  for (const kind of ['none', 'sendonly', 'inactive', 'legacy'] as const) if (kinds.has(kind)) return kind;
  return 'none';
}

function streamHold(sdp: Sdp, section: SdpSection): SdpHold {
  const direction = streamDirection(sdp, section);
  if (direction === 'sendonly' || direction === 'inactive') return direction;
  const address = (firstConnection(section) ?? firstConnection(sdp.session))?.address;
  const ice = attribute(section, 'ice-ufrag') ?? attribute(sdp.session, 'ice-ufrag');
  return address !== undefined && ice === undefined && isWildcardAddress(address) ? 'legacy' : 'none';
}
