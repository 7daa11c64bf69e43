import type { PlainReader } from '../plain.js';
import { type Literal, literal, type Put, putCode, putText } from '../put.js';
import type { Scanner } from '../scanner.js';

/** How one header is read and written. A field is one line of the message; a header may stand on several lines if `merge` is there. */
export interface HeaderCodec<T> {
  /** Canonical name. */
  readonly name: string;
  /** Compact form (RFC 3261 §7.3.3), lower case. */
  readonly compact: string | undefined;
  /** The name in lower case. */
  readonly lowerName: Uint8Array;
  /** CRLF, name, colon, space: what stands before the value. */
  readonly prefix: Literal;
  /** Hashes of name and compact form; see `nameHash`. */
  readonly hash: number;
  readonly compactHash: number;
  /** True: an array value is written with one line for each element, and `put` takes an element. */
  readonly perLine: boolean;
  /** True: the value is text that is written as it is. */
  readonly isText: boolean;
  /** True: the value is a list of text. */
  readonly isTextList: boolean;
  /** Reads one field value, the whole of the scanner. Throws SipParseError. */
  read(scanner: Scanner): T;
  /** Reads the usual form of the value, for headers that every message has. */
  readonly plain: PlainReader<T> | undefined;
  /** Joins the values of two lines. Absent: the header may stand only once. */
  readonly merge: ((earlier: T, later: T) => T) | undefined;
  /** Writes the value (or one element, see `perLine`). Throws UsageError for CR or LF. */
  readonly put: Put<unknown>;
}

/** Hash of a header name without regard to case: equal names have equal hashes, and the names are compared after that. */
export function nameHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + (name.charCodeAt(i) | 0x20)) | 0;
  return hash;
}

/** What the headers differ in; the rest follows from the name. */
interface CodecParts<T> {
  readonly name: string;
  readonly compact: string | undefined;
  readonly perLine?: true;
  readonly isText?: true;
  readonly isTextList?: true;
  readonly read: (scanner: Scanner) => T;
  readonly merge?: (earlier: T, later: T) => T;
  readonly put: Put<never>;
  readonly plain?: PlainReader<T> | undefined;
}

// All codecs are made here, and so have one hidden class.
function codec<T>(parts: CodecParts<T>): HeaderCodec<T> {
  const { name, compact } = parts;
  return {
    name,
    compact,
    lowerName: Buffer.from(name.toLowerCase(), 'latin1'),
    prefix: literal(`\r\n${name}: `),
    hash: nameHash(name),
    compactHash: compact === undefined ? 0 : nameHash(compact),
    perLine: parts.perLine ?? false,
    isText: parts.isText ?? false,
    isTextList: parts.isTextList ?? false,
    read: parts.read,
    plain: parts.plain,
    merge: parts.merge,
    put: parts.put as Put<unknown>,
  };
}

/** A header that stands once. */
export function single<T>(
  name: string,
  read: (scanner: Scanner) => T,
  put: Put<T>,
  compact?: string,
  plain?: PlainReader<T>,
): HeaderCodec<T> {
  return codec({ name, compact, read, put, plain });
}

/** A header that stands once and whose value is text. */
export function textual(
  name: string,
  read: (scanner: Scanner) => string,
  compact?: string,
  plain?: PlainReader<string>,
): HeaderCodec<string> {
  return codec<string>({ name, compact, isText: true, read, put: putText, plain });
}

/** A header that stands once and whose value is a list of text. */
export function singleTextList(
  name: string,
  read: (scanner: Scanner) => readonly string[],
  put: Put<readonly string[]>,
): HeaderCodec<readonly string[]> {
  return codec({ name, compact: undefined, isTextList: true, read, put });
}

/** A list written with one line for each element. */
export function lines<E>(
  name: string,
  read: (scanner: Scanner) => readonly E[],
  put: Put<E>,
  compact?: string,
  plain?: PlainReader<readonly E[]>,
): HeaderCodec<readonly E[]> {
  return codec<readonly E[]>({ name, compact, perLine: true, read, merge: concat, put, plain });
}

/** A list written on one line with commas. */
export function list<E>(
  name: string,
  read: (scanner: Scanner) => readonly E[],
  put: Put<E>,
  compact?: string,
): HeaderCodec<readonly E[]> {
  return codec<readonly E[]>({ name, compact, read, merge: concat, put: commaSeparated(put) });
}

/** A list of text written on one line with commas. */
export function textList(
  name: string,
  read: (scanner: Scanner) => readonly string[],
  compact?: string,
): HeaderCodec<readonly string[]> {
  const put = commaSeparated(putText);
  return codec<readonly string[]>({ name, compact, isTextList: true, read, merge: concat, put });
}

function commaSeparated<E>(put: Put<E>): Put<readonly E[]> {
  return (start, value) => {
    let pos = start;
    for (let i = 0; i < value.length; i++) {
      if (i > 0) {
        pos = putCode(pos, 0x2c);
        pos = putCode(pos, 0x20);
      }
      pos = put(pos, value[i] as E);
    }
    return pos;
  };
}

/** A header with a list of lines and a value of its own kind beside it (Contact: *). */
export function special<T>(
  name: string,
  read: (scanner: Scanner) => T,
  merge: (earlier: T, later: T) => T,
  put: Put<never>,
  compact?: string,
  plain?: PlainReader<T>,
): HeaderCodec<T> {
  return codec({ name, compact, perLine: true, read, merge, put, plain });
}

function concat<E>(earlier: readonly E[], later: readonly E[]): readonly E[] {
  return [...earlier, ...later];
}

/** Reads a whole value: `read`, then nothing but white space. */
export function whole<T>(read: (scanner: Scanner) => T): (scanner: Scanner) => T {
  return (scanner) => {
    scanner.skipSpace();
    const value = read(scanner);
    scanner.finish();
    return value;
  };
}

/** Reads a comma-separated list; an empty value is an empty list if `mayBeEmpty`. */
export function commaList<E>(read: (scanner: Scanner) => E, mayBeEmpty = false): (scanner: Scanner) => readonly E[] {
  return (scanner) => {
    scanner.skipSpace();
    if (mayBeEmpty && scanner.atEnd) return [];
    const elements = [read(scanner)];
    while (scanner.accept(0x2c)) elements.push(read(scanner));
    scanner.finish();
    return elements;
  };
}
