import { isByteClass, VALUE } from './chars.js';
import { getParam, putParams, putQuoted, readParams, withParam } from './params.js';
import { putCode, written } from './put.js';
import { Scanner } from './scanner.js';
import { putUri, readUri } from './uri.js';
import type { NameAddr } from './values.js';

export type { NameAddr } from './values.js';

/** One name-addr, nothing behind it. @throws SipParseError */
export function parseNameAddr(text: string): NameAddr {
  return readOneNameAddr(Scanner.of(text));
}

/** A comma-separated list of at least one. @throws SipParseError */
export function parseNameAddrList(text: string): readonly NameAddr[] {
  return readNameAddrs(Scanner.of(text));
}

/** Reads a value that is one name-addr. */
export function readOneNameAddr(scanner: Scanner): NameAddr {
  const value = readNameAddr(scanner);
  scanner.finish();
  return value;
}

/** Reads a value that is a list of at least one. */
export function readNameAddrs(scanner: Scanner): readonly NameAddr[] {
  const list = [readNameAddr(scanner)];
  while (scanner.accept(0x2c)) list.push(readNameAddr(scanner));
  scanner.finish();
  return list;
}

/** Reads one name-addr and its parameters; stops at a comma or the end. */
export function readNameAddr(scanner: Scanner): NameAddr {
  scanner.skipSpace();
  let displayName: string | undefined;
  const first = scanner.peek();
  if (first === 0x22) {
    displayName = scanner.unquoted();
    scanner.skipSpace();
    if (scanner.peek() !== 0x3c) scanner.fail('"<"');
  } else if (first !== 0x3c) {
    const nameEnd = displayEnd(scanner);
    if (nameEnd < 0) return readAddrSpec(scanner);
    displayName = scanner.text.slice(scanner.pos, nameEnd).trimEnd();
    scanner.pos = nameEnd;
  }
  const start = scanner.pos + 1;
  const close = scanner.find('>', start);
  if (close < 0) scanner.fail('a URI and ">"');
  const uri = readUri(scanner, start, close);
  scanner.pos = close + 1;
  const params = readParams(scanner);
  return displayName === undefined ? { uri, params } : { displayName, uri, params };
}

/**
 * The position of the `<` that ends an unquoted display name, -1 when what stands here is an addr-spec.
 * Deviates: any character but separators is taken for a token character, because phones send unquoted UTF-8.
 */
function displayEnd(scanner: Scanner): number {
  const { bytes, end } = scanner;
  for (let pos = scanner.pos; pos < end; pos++) {
    const code = bytes[pos] as number;
    if (code === 0x3c) return pos;
    if (code === 0x3a || code === 0x40 || code === 0x5c) return -1;
    if (code !== 0x20 && code !== 0x09 && !isByteClass(code, VALUE)) return -1;
  }
  return -1;
}

/** Without brackets the parameters belong to the header, and the URI may hold no comma, semicolon or question mark (§20.10). */
function readAddrSpec(scanner: Scanner): NameAddr {
  const { bytes } = scanner;
  const start = scanner.pos;
  let end = start;
  for (; end < scanner.end; end++) {
    const code = bytes[end] as number;
    if (code === 0x3b || code === 0x2c || code === 0x20 || code === 0x09) break;
    if (code === 0x3f) scanner.fail('"<" and ">" around a URI with "?"', end);
  }
  const uri = readUri(scanner, start, end);
  scanner.pos = end;
  return { uri, params: readParams(scanner) };
}

/** `"Display Name" <uri>;params`. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatNameAddr(value: NameAddr): string {
  return written(putNameAddr, value);
}

/** Writes the address, always with angle brackets. */
export function putNameAddr(start: number, value: NameAddr): number {
  let pos = start;
  if (value.displayName !== undefined) {
    pos = putQuoted(pos, value.displayName);
    pos = putCode(pos, 0x20);
  }
  pos = putCode(pos, 0x3c);
  pos = putUri(pos, value.uri);
  pos = putCode(pos, 0x3e);
  if (value.params.length > 0) pos = putParams(pos, value.params);
  return pos;
}

/** The `tag` parameter, undefined when absent. */
export function tagOf(value: NameAddr): string | undefined {
  return getParam(value.params, 'tag');
}

/** A copy with that `tag`. */
export function withTag(value: NameAddr, tag: string): NameAddr {
  return { ...value, params: withParam(value.params, 'tag', tag) };
}
