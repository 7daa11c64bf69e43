import type { Param, Params } from '../params.js';
import { putCode, putText, written } from '../put.js';
import type { Scanner } from '../scanner.js';
import { type HeaderCodec, lines, single, whole } from './codec.js';

/** A challenge or credentials (RFC 3261 §25.1); what the parameters mean is for `protocol/digest`. */
export interface AuthValue {
  /** 'Digest', as it stands. */
  readonly scheme: string;
  /** Raw text: a quoted value keeps its quotes. */
  readonly params: Params;
}

/** auth-param list; stops before a comma that begins a new challenge. */
function readAuthParams(scanner: Scanner): Params {
  const params: Param[] = [];
  for (;;) {
    const start = scanner.pos;
    const name = scanner.token('a parameter');
    if (!scanner.accept(0x3d)) {
      // `Digest realm="a", Basic realm="b"`: the name was the scheme of the next challenge.
      if (params.length === 0) scanner.fail('"="');
      scanner.pos = start;
      return params;
    }
    params.push({ name, value: scanner.value('a parameter value') });
    if (!scanner.accept(0x2c)) return params;
  }
}

function readAuth(scanner: Scanner): readonly AuthValue[] {
  const values: AuthValue[] = [];
  do {
    const scheme = scanner.token('an authentication scheme');
    scanner.skipSpace();
    values.push({ scheme, params: readAuthParams(scanner) });
  } while (!scanner.atEnd);
  return values;
}

/** `Scheme name=value, name=value`. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatAuth(value: AuthValue): string {
  return written(putAuth, value);
}

function putAuth(start: number, value: AuthValue): number {
  let pos = start;
  pos = putText(pos, value.scheme);
  if (value.params.length > 0) {
    pos = putCode(pos, 0x20);
    pos = putAuthParams(pos, value.params);
  }
  return pos;
}

function putAuthParams(start: number, params: Params): number {
  let pos = start;
  params.forEach(({ name, value }, i) => {
    if (i > 0) pos = putText(pos, ', ');
    pos = putText(pos, name);
    pos = putCode(pos, 0x3d);
    pos = putText(pos, value ?? '""');
  });
  return pos;
}

/** A header with challenges or credentials: one line each, never joined by commas (RFC 3261 §7.3.1). */
export function auth(name: string): HeaderCodec<readonly AuthValue[]> {
  return lines(name, whole(readAuth), putAuth);
}

/** Authentication-Info (RFC 3261 §20.6): parameters without a scheme. */
export const authenticationInfoCodec = single<Params>('Authentication-Info', whole(readAuthParams), putAuthParams);
