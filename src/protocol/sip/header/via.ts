import { HOST, IPV6, isClass, skipClass } from '../chars.js';
import { formatParams, type Params, readParams } from '../params.js';
import type { Scanner } from '../scanner.js';
import { commaList, lines } from './codec.js';

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** 'SIP/2.0' */
  readonly protocol: string;
  /** 'UDP', 'TCP', 'TLS', 'WS', 'WSS' or another token, as it stands. */
  readonly transport: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Raw text; `branch`, `received`, `rport`, `maddr`, `ttl`, … */
  readonly params: Params;
}

const UDP_PREFIX = 'SIP/2.0/UDP ';

/** Reads one Via value, stops at a comma or the end. */
export function readVia(scanner: Scanner): Via {
  return readViaUpTo(scanner, true);
}

/** What of a Via can be used for an answer though its parameters are broken; undefined when not even the sent-by is readable. */
export function salvageVia(scanner: Scanner): Via {
  return readViaUpTo(scanner, false);
}

function readViaUpTo(scanner: Scanner, withParams: boolean): Via {
  let protocol = 'SIP/2.0';
  let transport = 'UDP';
  if (scanner.text.startsWith(UDP_PREFIX, scanner.pos)) scanner.pos += UDP_PREFIX.length;
  else {
    const name = scanner.token('a protocol name');
    scanner.expect(0x2f);
    const version = scanner.token('a protocol version');
    scanner.expect(0x2f);
    protocol = `${name}/${version}`;
    transport = scanner.token('a transport');
    if (scanner.peek() !== 0x20 && scanner.peek() !== 0x09) scanner.fail('white space');
  }
  scanner.skipSpace();
  const host = readHost(scanner);
  let port = 0;
  if (scanner.accept(0x3a)) {
    port = scanner.number('a port', 65_535);
    if (port === 0) scanner.fail('a port from 1 to 65535');
  }
  const params = withParams ? readParams(scanner) : [];
  return port === 0 ? { protocol, transport, host, params } : { protocol, transport, host, port, params };
}

function readHost(scanner: Scanner): string {
  const { text } = scanner;
  const bracket = scanner.peek() === 0x5b;
  const start = bracket ? scanner.pos + 1 : scanner.pos;
  const end = skipClass(text, start, text.length, bracket ? IPV6 : HOST);
  if (end === start || (bracket && text.charCodeAt(end) !== 0x5d)) scanner.fail('a host');
  scanner.pos = bracket ? end + 1 : end;
  if (!bracket && end < text.length && isClass(text.charCodeAt(end), IPV6) && text.charCodeAt(end) !== 0x3a) {
    scanner.fail('a host');
  }
  return text.slice(start, end);
}

/** One Via value as text. */
export function formatVia(via: Via): string {
  const host = via.host.includes(':') ? `[${via.host}]` : via.host;
  const params = formatParams(via.params);
  return via.port === undefined
    ? `${via.protocol}/${via.transport} ${host}${params}`
    : `${via.protocol}/${via.transport} ${host}:${via.port}${params}`;
}

export const viaCodec = lines('Via', commaList(readVia), formatVia, 'v');
