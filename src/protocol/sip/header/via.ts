import { decimalBytes, HOST, IPV6, skipBytes } from '../chars.js';
import { NO_PARAMS, putParams, readParams } from '../params.js';
import { plainVias } from '../plain.js';
import { literal, putCode, putLiteral, putNumber, putText, written } from '../put.js';
import type { Scanner } from '../scanner.js';
import { putHost } from '../uri.js';
import type { Via } from '../values.js';
import { lines } from './codec.js';

export type { Via } from '../values.js';

function readVias(scanner: Scanner): readonly Via[] {
  const vias = [readSentBy(scanner, true)];
  while (scanner.accept(0x2c)) vias.push(readSentBy(scanner, true));
  scanner.finish();
  return vias;
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
  if (scanner.startsWith(USUAL_BYTES)) {
    scanner.pos = pos + 8;
    transport = scanner.token('a transport');
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

const USUAL = literal('SIP/2.0/');
const USUAL_BYTES = Buffer.from('SIP/2.0/');

/** One Via value as text. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatVia(via: Via): string {
  return written(putVia, via);
}

function putVia(start: number, via: Via): number {
  let pos = via.protocol === 'SIP/2.0' ? putLiteral(start, USUAL) : putCode(putText(start, via.protocol), 0x2f);
  pos = putCode(putText(pos, via.transport), 0x20);
  pos = putHost(pos, via.host);
  if (via.port !== undefined) {
    pos = putCode(pos, 0x3a);
    pos = putNumber(pos, via.port);
  }
  if (via.params.length > 0) pos = putParams(pos, via.params);
  return pos;
}

export const viaCodec = lines('Via', readVias, putVia, 'v', plainVias);
