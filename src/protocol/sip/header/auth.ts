import { type ByteWriter, written } from '../byte-writer.js';
import type { Param, Params } from '../params.js';
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
  return written((writer) => writeAuth(writer, value));
}

function writeAuth(writer: ByteWriter, value: AuthValue): void {
  writer.text(value.scheme);
  if (value.params.length > 0) {
    writer.code(0x20);
    writeAuthParams(writer, value.params);
  }
}

function writeAuthParams(writer: ByteWriter, params: Params): void {
  params.forEach(({ name, value }, i) => {
    if (i > 0) writer.text(', ');
    writer.text(name);
    writer.code(0x3d);
    writer.text(value ?? '""');
  });
}

/** A header with challenges or credentials: one line each, never joined by commas (RFC 3261 §7.3.1). */
export function auth(name: string): HeaderCodec<readonly AuthValue[]> {
  return lines(name, whole(readAuth), writeAuth);
}

/** Authentication-Info (RFC 3261 §20.6): parameters without a scheme. */
export const authenticationInfoCodec = single<Params>('Authentication-Info', whole(readAuthParams), writeAuthParams);
