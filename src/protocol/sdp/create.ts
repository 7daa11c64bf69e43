import { UsageError } from '../../base/errors.js';
import type { SdpAttribute, SdpCodec } from './attributes.js';
import type { SdpDirection } from './direction.js';
import { connectionTo, formatConnection, formatMediaLine, formatOrigin, type SdpOrigin } from './fields.js';
import { parseSdp, type Sdp, type SdpLine, type SdpSection } from './lines.js';

/** A codec to offer; `channels` defaults to 1. */
export type OfferedCodec = Omit<SdpCodec, 'channels'> & { readonly channels?: number };

export interface SdpOriginOptions {
  /** Default `-`. */
  readonly username?: string;
  /** Unique for each session of this user and host: decimal digits, below 2^63 (RFC 3264 §5). */
  readonly sessionId: string | number | bigint;
  /** Default 1. */
  readonly version?: string | number | bigint;
  /** Ours; IPv6 without brackets. */
  readonly address: string;
}

export interface SdpMediaOptions {
  /** Default `audio`. */
  readonly type?: string;
  readonly port: number;
  /** Default `RTP/AVP`. */
  readonly protocol?: string;
  /** In order of preference. */
  readonly codecs?: readonly OfferedCodec[];
  /** For anything but RTP, such as `t38`; the codecs' payload types otherwise. */
  readonly formats?: readonly string[];
  /** Default sendrecv, which is written out. */
  readonly direction?: SdpDirection;
  readonly ptimeMs?: number;
  /** If it differs from the session's. */
  readonly address?: string;
  /** Further `a=` lines. */
  readonly attributes?: readonly SdpAttribute[];
}

export interface SdpOptions {
  readonly origin: SdpOriginOptions;
  /** Default `-` (RFC 3264 §5). */
  readonly sessionName?: string;
  /** Of the session's `c=`; default the origin's. */
  readonly address?: string;
  readonly media: readonly SdpMediaOptions[];
  /** Session-level `a=` lines. */
  readonly attributes?: readonly SdpAttribute[];
}

/** PCMU, PCMA and telephone events: what every phone speaks. */
export const BASIC_AUDIO: readonly OfferedCodec[] = [
  { payloadType: 0, name: 'PCMU', clockRate: 8000 },
  { payloadType: 8, name: 'PCMA', clockRate: 8000 },
  { payloadType: 101, name: 'telephone-event', clockRate: 8000, fmtp: '0-16' },
];

/**
 * Builds an offer (RFC 3264 §5) with CRLF line ends.
 * @throws UsageError (PBX_INVALID_ARGUMENT) if a value cannot stand in a description, such as one with a line break
 */
export function createSdp(options: SdpOptions): Sdp {
  const session: SdpLine[] = [
    line('v', '0'),
    line('o', formatOrigin(createOrigin(options.origin))),
    line('s', options.sessionName ?? '-'),
    line('c', formatConnection(connectionTo(options.address ?? options.origin.address))),
    line('t', '0 0'),
    ...(options.attributes ?? []).map(attributeLine),
  ];
  const sdp: Sdp = {
    session: { lines: session },
    media: options.media.map(createMedia),
    trailer: '',
    encoding: 'utf-8',
  };
  checkBuilt(sdp);
  return sdp;
}

/** The `o=` line's fields with the defaults filled in. */
export function createOrigin(options: SdpOriginOptions): SdpOrigin {
  return {
    username: options.username ?? '-',
    sessionId: String(options.sessionId),
    version: String(options.version ?? 1),
    ...connectionTo(options.address),
  };
}

/** One media description: `m=`, `c=` if it has its own, rtpmaps and fmtps, ptime, direction, further attributes. */
export function createMedia(options: SdpMediaOptions): SdpSection {
  const codecs = options.codecs ?? [];
  const formats = options.formats ?? codecs.map((codec) => String(codec.payloadType));
  const { type = 'audio', port, protocol = 'RTP/AVP' } = options;
  const lines = [line('m', formatMediaLine({ type, port, portCount: 1, protocol, formats }))];
  if (options.address !== undefined) lines.push(line('c', formatConnection(connectionTo(options.address))));
  for (const codec of codecs) lines.push(...codecLines(codec));
  if (options.ptimeMs !== undefined) lines.push(line('a', `ptime:${options.ptimeMs}`));
  lines.push(line('a', options.direction ?? 'sendrecv'), ...(options.attributes ?? []).map(attributeLine));
  return { lines };
}

function codecLines(codec: OfferedCodec): SdpLine[] {
  const { payloadType, name, clockRate, channels = 1, fmtp } = codec;
  const encoding = channels > 1 ? `${name}/${clockRate}/${channels}` : `${name}/${clockRate}`;
  const map = line('a', `rtpmap:${payloadType} ${encoding}`);
  return fmtp === undefined ? [map] : [map, line('a', `fmtp:${payloadType} ${fmtp}`)];
}

function attributeLine(attribute: SdpAttribute): SdpLine {
  return line('a', attribute.value === undefined ? attribute.name : `${attribute.name}:${attribute.value}`);
}

function line(type: string, value: string): SdpLine {
  return { type, value, end: '\r\n' };
}

/** What was put in must come out as the same lines: a line break inside a value would smuggle in lines of its own. */
function checkBuilt(sdp: Sdp): void {
  const sections = [sdp.session, ...sdp.media];
  const text = sections.flatMap((section) => section.lines.map((l) => `${l.type}=${l.value}${l.end}`)).join('');
  const smuggled = sections.some((section) => section.lines.some((l) => l.value.includes('\n')));
  try {
    if (!smuggled) {
      parseSdp(text);
      return;
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('PBX_INVALID_ARGUMENT', `createSdp: these options make no valid description: ${why}`, {
      cause,
    });
  }
  throw new UsageError('PBX_INVALID_ARGUMENT', 'createSdp: a value holds a line break');
}
