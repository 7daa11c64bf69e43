import { isClass, isSpace, trim, VALUE } from './chars.js';
import { formatParams, getParam, type Params, quote, readParams, unquote, withParam } from './params.js';
import { SipParseError } from './parse-error.js';
import { Scanner } from './scanner.js';
import { formatUri, parseUri, type Uri } from './uri.js';

/** name-addr or addr-spec with the header's parameters (RFC 3261 §20.10). */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName?: string;
  readonly uri: Uri;
  readonly params: Params;
}

/** One name-addr, nothing behind it. @throws SipParseError */
export function parseNameAddr(text: string): NameAddr {
  const scanner = new Scanner(text);
  const value = readNameAddr(scanner);
  scanner.end();
  return value;
}

/** A comma-separated list of at least one. @throws SipParseError */
export function parseNameAddrList(text: string): readonly NameAddr[] {
  const scanner = new Scanner(text);
  const list: NameAddr[] = [];
  do list.push(readNameAddr(scanner));
  while (scanner.accept(0x2c));
  scanner.end();
  return list;
}

/** Reads one name-addr and its parameters; stops at a comma or the end. */
export function readNameAddr(scanner: Scanner): NameAddr {
  scanner.skipSpace();
  const { text } = scanner;
  let displayName: string | undefined;
  const first = scanner.peek();
  if (first === 0x22) {
    displayName = unquote(scanner.quoted());
    scanner.skipSpace();
    if (scanner.peek() !== 0x3c) scanner.fail('"<"');
  } else if (first !== 0x3c) {
    const open = displayEnd(text, scanner.pos);
    if (open < 0) return readAddrSpec(scanner);
    displayName = trim(text.slice(scanner.pos, open));
    scanner.pos = open;
  }
  const start = scanner.pos + 1;
  const close = text.indexOf('>', start);
  if (close < 0) scanner.fail('a URI and ">"');
  const uri = uriAt(text, start, close);
  scanner.pos = close + 1;
  const params = readParams(scanner);
  return displayName === undefined ? { uri, params } : { displayName, uri, params };
}

/**
 * The position of the `<` that ends an unquoted display name, -1 when what stands here is an addr-spec.
 * Deviates: any character but separators is taken for a token character, because phones send unquoted UTF-8.
 */
function displayEnd(text: string, from: number): number {
  for (let pos = from; pos < text.length; pos++) {
    const code = text.charCodeAt(pos);
    if (code === 0x3c) return pos;
    if (code === 0x3a || code === 0x40 || code === 0x5c) return -1;
    if (!isSpace(code) && !isClass(code, VALUE)) return -1;
  }
  return -1;
}

/** Without brackets the parameters belong to the header, and the URI may hold no comma, semicolon or question mark (§20.10). */
function readAddrSpec(scanner: Scanner): NameAddr {
  const { text } = scanner;
  const start = scanner.pos;
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === 0x3b || code === 0x2c || isSpace(code)) break;
    if (code === 0x3f) {
      scanner.pos = end;
      scanner.fail('"<" and ">" around a URI with "?"');
    }
    end++;
  }
  const uri = uriAt(text, start, end);
  scanner.pos = end;
  return { uri, params: readParams(scanner) };
}

function uriAt(text: string, start: number, end: number): Uri {
  try {
    return parseUri(text.slice(start, end));
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
    throw new SipParseError(error.message, { offset: start + error.offset });
  }
}

/** `"Display Name" <uri>;params`. */
export function formatNameAddr(value: NameAddr): string {
  const params = value.params.length === 0 ? '' : formatParams(value.params);
  return value.displayName === undefined
    ? `<${formatUri(value.uri)}>${params}`
    : `${quote(value.displayName)} <${formatUri(value.uri)}>${params}`;
}

/** The `tag` parameter, undefined when absent. */
export function tagOf(value: NameAddr): string | undefined {
  return getParam(value.params, 'tag');
}

/** A copy with that `tag`. */
export function withTag(value: NameAddr, tag: string): NameAddr {
  return { ...value, params: withParam(value.params, 'tag', tag) };
}
