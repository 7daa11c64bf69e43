import { type ByteWriter, written } from '../byte-writer.js';
import { decimalBytes, HOST, IPV6, skipBytes } from '../chars.js';
import { NO_PARAMS, type Params, readParams, writeParams } from '../params.js';
import type { Scanner } from '../scanner.js';
import { writeHost } from '../uri.js';
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

/** Reads one Via value, stops at a comma or the end. */
export function readVia(scanner: Scanner): Via {
  return readSentBy(scanner, true);
}

/** Reads a Via up to its sent-by and takes no offence at what follows. */
export function salvageVia(scanner: Scanner): Via {
  return readSentBy(scanner, false);
}

function readSentBy(scanner: Scanner, withParams: boolean): Via {
  const { bytes, text } = scanner;
  scanner.skipSpace();
  const { pos } = scanner;
  let protocol = 'SIP/2.0';
  let transport: string;
  if (isUsualProtocol(bytes, pos)) {
    scanner.pos = pos + 8;
    transport = isUdp(bytes, pos + 8) ? 'UDP' : scanner.token('a transport');
    if (transport === 'UDP') scanner.pos = pos + 11;
  } else {
    const name = scanner.token('a protocol name');
    scanner.expect(0x2f);
    const version = scanner.token('a protocol version');
    scanner.expect(0x2f);
    protocol = `${name}/${version}`;
    transport = scanner.token('a transport');
  }
  const space = scanner.pos;
  scanner.skipSpace();
  if (scanner.pos === space) scanner.fail('white space');
  const bracket = scanner.peek() === 0x5b;
  const start = bracket ? scanner.pos + 1 : scanner.pos;
  const end = skipBytes(bytes, start, scanner.end, bracket ? IPV6 : HOST);
  if (end === start || (bracket && (end >= scanner.end || bytes[end] !== 0x5d))) scanner.fail('a host');
  const host = text.slice(start, end);
  scanner.pos = bracket ? end + 1 : end;
  if (!scanner.accept(0x3a)) {
    return { protocol, transport, host, params: withParams ? readParams(scanner) : NO_PARAMS };
  }
  const portEnd = skipBytes(bytes, scanner.pos, scanner.end, HOST);
  const port = decimalBytes(bytes, scanner.pos, portEnd, 65_535);
  if (port < 1) scanner.fail('a port from 1 to 65535');
  scanner.pos = portEnd;
  return { protocol, transport, host, port, params: withParams ? readParams(scanner) : NO_PARAMS };
}

const USUAL = Buffer.from('SIP/2.0/');

function isUsualProtocol(bytes: Uint8Array, pos: number): boolean {
  for (let i = 0; i < USUAL.length; i++) if (bytes[pos + i] !== USUAL[i]) return false;
  return true;
}

/** `UDP` and white space. */
function isUdp(bytes: Uint8Array, pos: number): boolean {
  return bytes[pos] === 0x55 && bytes[pos + 1] === 0x44 && bytes[pos + 2] === 0x50 && bytes[pos + 3] === 0x20;
}

/** One Via value as text. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatVia(via: Via): string {
  return written((writer) => writeVia(writer, via));
}

function writeVia(writer: ByteWriter, via: Via): void {
  writer.text(via.protocol);
  writer.code(0x2f);
  writer.text(via.transport);
  writer.code(0x20);
  writeHost(writer, via.host);
  if (via.port !== undefined) {
    writer.code(0x3a);
    writer.number(via.port);
  }
  if (via.params.length > 0) writeParams(writer, via.params);
}

export const viaCodec = lines('Via', commaList(readVia), writeVia, 'v');
