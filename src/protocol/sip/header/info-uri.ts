import { type Params, putParams, readParams } from '../params.js';
import { putText } from '../put.js';
import type { Scanner } from '../scanner.js';
import { readUri } from '../uri.js';
import { commaList, type HeaderCodec, lines } from './codec.js';

/** An element of Alert-Info, Call-Info or Error-Info (RFC 3261 §20.4, §20.9, §20.18). */
export interface InfoUri {
  /** An absolute URI as text, without the brackets. */
  readonly uri: string;
  readonly params: Params;
}

function readInfoUri(scanner: Scanner): InfoUri {
  scanner.skipSpace();
  if (scanner.peek() !== 0x3c) scanner.fail('"<"');
  const close = scanner.find('>', scanner.pos);
  if (close < 0) scanner.fail('a URI and ">"');
  const uri = scanner.text.slice(scanner.pos + 1, close);
  readUri(scanner, scanner.pos + 1, close);
  scanner.pos = close + 1;
  return { uri, params: readParams(scanner) };
}

/** A header that is a list of URIs in brackets with parameters. */
export function infoUris(name: string): HeaderCodec<readonly InfoUri[]> {
  return lines(name, commaList(readInfoUri), (start, value) => {
    return putParams(putText(start, `<${value.uri}>`), value.params);
  });
}
