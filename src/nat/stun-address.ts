import { bracketHost, ipVersion } from '../base/ip.js';

/** Where a STUN server is, or is to be. */
export interface StunEndpoint {
  /** A name, or an IP literal without brackets. */
  readonly host: string;
  /** Absent: not said; 3478, or what DNS says. */
  readonly port?: number;
}

/** RFC 8489 §8.1. */
export const STUN_PORT = 3478;

/** What a listening address may look like, for messages. */
export const STUN_LISTEN_EXAMPLE = 'an address such as "udp://0.0.0.0:3478" or "udp://[::]:3478"';

/** What the address of a server may look like, for messages. */
export const STUN_SERVER_EXAMPLE =
  'a STUN server such as "stun.example.net", "192.0.2.7:3478" or "stun:[2001:db8::7]:3478"';

const LISTEN = 'udp://';
const MOST_NAME_CHARACTERS = 253;

/** Reads `udp://ADDRESS[:PORT]`; the address may be a wildcard, the port 0 (any free one). Undefined for anything else. */
export function parseStunListen(text: string): StunEndpoint | undefined {
  const endpoint = text.startsWith(LISTEN) ? parseEndpoint(text.slice(LISTEN.length)) : undefined;
  return endpoint === undefined || ipVersion(endpoint.host) === 0 ? undefined : endpoint;
}

/** Reads `HOST[:PORT]`, with or without the scheme of a URI of RFC 7064 (`stun:`). Undefined for anything else. */
export function parseStunServer(text: string): StunEndpoint | undefined {
  const endpoint = parseEndpoint(/^stun:/i.test(text) ? text.slice(5) : text);
  return endpoint?.port === 0 ? undefined : endpoint;
}

/** `stun.example.net:3478`, as messages show it. */
export function formatEndpoint({ host, port }: StunEndpoint): string {
  return port === undefined ? bracketHost(host) : `${bracketHost(host)}:${port}`;
}

function parseEndpoint(text: string): StunEndpoint | undefined {
  if (text.length > MOST_NAME_CHARACTERS + 8) return undefined;
  const colon = text.indexOf(':', text.lastIndexOf(']') + 1);
  const host = colon < 0 ? text : text.slice(0, colon);
  const bare = hostOf(host);
  if (bare === undefined) return undefined;
  if (colon < 0) return { host: bare };
  const digits = text.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
  return port <= 65_535 ? { host: bare, port } : undefined;
}

function hostOf(host: string): string | undefined {
  if (host.startsWith('[')) {
    const bare = host.slice(1, -1);
    return host.endsWith(']') && ipVersion(bare) === 6 ? bare : undefined;
  }
  if (host === '' || host.length > MOST_NAME_CHARACTERS) return undefined;
  // Digits and dots alone must be an address: 1.2.3 is a slip, not a name.
  if (/^[\d.]+$/.test(host)) return ipVersion(host) === 4 ? host : undefined;
  return /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(host) ? host : undefined;
}
