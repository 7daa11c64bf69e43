import { Scanner } from '../scanner.js';

/** How one header is read and written. A field is one line of the message; a header may stand on several lines if `merge` is there. */
export interface HeaderCodec<T> {
  /** Canonical name. */
  readonly name: string;
  /** Compact form (RFC 3261 §7.3.3), lower case. */
  readonly compact: string | undefined;
  /** CRLF, name, colon, space: what stands before the value. */
  readonly prefix: string;
  /** Hashes of name and compact form; see `nameHash`. */
  readonly hash: number;
  readonly compactHash: number;
  /** True: an array value is written with one line for each element, and `format` takes an element. */
  readonly perLine: boolean;
  /** One field value to the typed value. Throws SipParseError. */
  parse(text: string): T;
  /** Joins the values of two lines. Absent: the header may stand only once. */
  readonly merge: ((earlier: T, later: T) => T) | undefined;
  /** The value (or one element, see `perLine`) as text. */
  format(value: unknown): string;
}

/** Hash of a header name without regard to case: equal names have equal hashes, and the names are compared after that. */
export function nameHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = nextHash(hash, name.charCodeAt(i));
  return hash;
}

/** The hash with one more character. */
export function nextHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 0x20)) | 0;
}

function codec<T>(
  name: string,
  compact: string | undefined,
  perLine: boolean,
  parse: (text: string) => T,
  merge: ((earlier: T, later: T) => T) | undefined,
  format: (value: never) => string,
): HeaderCodec<T> {
  return {
    name,
    compact,
    prefix: `\r\n${name}: `,
    hash: nameHash(name),
    compactHash: compact === undefined ? 0 : nameHash(compact),
    perLine,
    parse,
    merge,
    format: format as (value: unknown) => string,
  };
}

/** A header that stands once. */
export function single<T>(
  name: string,
  parse: (text: string) => T,
  format: (value: T) => string,
  compact?: string,
): HeaderCodec<T> {
  return codec(name, compact, false, parse, undefined, format);
}

/** A list written with one line for each element. */
export function lines<E>(
  name: string,
  parse: (text: string) => readonly E[],
  format: (element: E) => string,
  compact?: string,
): HeaderCodec<readonly E[]> {
  return codec<readonly E[]>(name, compact, true, parse, concat, format);
}

/** A list written on one line with commas. */
export function list<E>(
  name: string,
  parse: (text: string) => readonly E[],
  format: (element: E) => string,
  compact?: string,
): HeaderCodec<readonly E[]> {
  return codec<readonly E[]>(name, compact, false, parse, concat, (value: readonly E[]) =>
    value.map(format).join(', '),
  );
}

/** A header with a list of lines and a value of its own kind beside it (Contact: *). */
export function special<T>(
  name: string,
  parse: (text: string) => T,
  merge: (earlier: T, later: T) => T,
  format: (element: never) => string,
  compact?: string,
): HeaderCodec<T> {
  return codec(name, compact, true, parse, merge, format);
}

function concat<E>(earlier: readonly E[], later: readonly E[]): readonly E[] {
  return [...earlier, ...later];
}

/** Reads a whole value with a scanner: `read`, then nothing but white space. */
export function whole<T>(read: (scanner: Scanner) => T): (text: string) => T {
  return (text) => {
    const scanner = new Scanner(text);
    scanner.skipSpace();
    const value = read(scanner);
    scanner.end();
    return value;
  };
}

/** Reads a comma-separated list; an empty value is an empty list if `mayBeEmpty`. */
export function commaList<E>(read: (scanner: Scanner) => E, mayBeEmpty = false): (text: string) => readonly E[] {
  return (text) => {
    const scanner = new Scanner(text);
    scanner.skipSpace();
    const elements: E[] = [];
    if (mayBeEmpty && scanner.atEnd) return elements;
    do elements.push(read(scanner));
    while (scanner.accept(0x2c));
    scanner.end();
    return elements;
  };
}
