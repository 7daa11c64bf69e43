import { ipVersion } from '../../base/ip.js';

/** `o=`: who made the description (RFC 8866 §5.2). */
export interface SdpOrigin {
  readonly username: string;
  /** Decimal digits; up to 64 bits, hence text. */
  readonly sessionId: string;
  /** Decimal digits; see `sessionId`. */
  readonly version: string;
  readonly netType: string;
  readonly addressType: string;
  readonly address: string;
}

/** `c=`: where the media shall go (RFC 8866 §5.7). */
export interface SdpConnection {
  readonly netType: string;
  readonly addressType: string;
  /** Without the multicast suffix. */
  readonly address: string;
  /** What follows the first slash of a multicast address: TTL, number of addresses. */
  readonly suffix?: string;
}

/** `m=` (RFC 8866 §5.14). */
export interface SdpMediaLine {
  readonly type: string;
  /** 0 to 65535; 0: the stream is refused or removed. */
  readonly port: number;
  /** From `port/count`; 1 unless told. */
  readonly portCount: number;
  /** Such as `RTP/AVP`, in the sender's spelling. */
  readonly protocol: string;
  /** Payload types for RTP. Empty only where the port is 0: some phones refuse a stream that way. */
  readonly formats: readonly string[];
}

/** More digits than a 64-bit number has, for lenience; bounded, so that adding one stays cheap. */
const LONGEST_NUMBER = 30;

/**
 * Reads the value of an `o=` line; undefined if malformed.
 * Deviates: a user name may hold spaces, because some phones put the display name there; the five other fields are counted
 * from the right.
 */
export function parseOrigin(value: string): SdpOrigin | undefined {
  const fields = value.trimEnd().split(' ');
  if (fields.length < 6) return undefined;
  const [sessionId, version, netType, addressType, address] = fields.slice(-5) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const username = fields.slice(0, -5).join(' ');
  if (username === '' || !isNumber(sessionId) || !isNumber(version)) return undefined;
  if (netType === '' || addressType === '' || address === '') return undefined;
  return { username, sessionId, version, netType, addressType, address };
}

export function formatOrigin(origin: SdpOrigin): string {
  return `${origin.username} ${origin.sessionId} ${origin.version} ${origin.netType} ${origin.addressType} ${origin.address}`;
}

/** Reads the value of a `c=` line; undefined if malformed. */
export function parseConnection(value: string): SdpConnection | undefined {
  const fields = value.trimEnd().split(' ');
  if (fields.length !== 3 || fields.includes('')) return undefined;
  const [netType, addressType, where] = fields as [string, string, string];
  const slash = where.indexOf('/');
  if (slash === 0) return undefined;
  return slash < 0
    ? { netType, addressType, address: where }
    : { netType, addressType, address: where.slice(0, slash), suffix: where.slice(slash + 1) };
}

export function formatConnection(connection: SdpConnection): string {
  const suffix = connection.suffix === undefined ? '' : `/${connection.suffix}`;
  return `${connection.netType} ${connection.addressType} ${connection.address}${suffix}`;
}

/** The `c=` that names an address: IP6 for an IPv6 literal, IP4 for anything else, names included. */
export function connectionTo(address: string): SdpConnection {
  return { netType: 'IN', addressType: ipVersion(address) === 6 ? 'IP6' : 'IP4', address };
}

/** Reads the value of an `m=` line; undefined if malformed. */
export function parseMediaLine(value: string): SdpMediaLine | undefined {
  const fields = value.split(' ');
  const [type, ports, protocol] = fields;
  if (type === undefined || ports === undefined || protocol === undefined || type === '' || protocol === '') {
    return undefined;
  }
  const formats = fields.slice(3).filter((format) => format !== '');
  const slash = ports.indexOf('/');
  const port = decimal(slash < 0 ? ports : ports.slice(0, slash), 65_535);
  const portCount = slash < 0 ? 1 : decimal(ports.slice(slash + 1), 65_535);
  if (port === undefined || portCount === undefined || (formats.length === 0 && port !== 0)) return undefined;
  return { type, port, portCount, protocol, formats };
}

export function formatMediaLine(media: SdpMediaLine): string {
  const ports = media.portCount > 1 ? `${media.port}/${media.portCount}` : String(media.port);
  return [media.type, ports, media.protocol, ...media.formats].join(' ');
}

/** A plain decimal number up to `max`, or undefined. */
export function decimal(text: string, max: number): number | undefined {
  if (text.length > 10 || !isNumber(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function isNumber(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST_NUMBER) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
