/** Character classes of RFC 3261 §25.1 as one table of bits, so that a scan costs one look-up a character. */

const ALPHANUM = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** token (§25.1). */
export const TOKEN = 1;
/** What may stand unescaped in the user part: unreserved, user-unreserved. */
export const USER = 2;
/** What may stand unescaped in a URI parameter: unreserved, param-unreserved. */
export const URI_PARAM = 4;
/** What may stand in a host name; the underscore is tolerated, because names with it are in use. */
export const HOST = 8;
/** HEXDIG, colon and dot: the inside of an IPv6 reference. */
export const IPV6 = 16;
/** What may stand unescaped in a URI header value: unreserved, hnv-unreserved. */
export const URI_HEADER = 32;
/** What may stand in an unquoted parameter value: no separator of a list, no control character. */
export const VALUE = 64;
/** What may stand in a Call-ID: VALUE, quotes and angle brackets. */
export const WORD = 128;

// Not exported itself: the compiler folds a constant of the module, but not one that other modules see.
const TABLE = new Uint8Array(256);

/** The classes of each byte, for loops over single characters: a call into another module for each would cost more than the look-up. */
export const CLASS: Uint8Array = TABLE;

function add(bit: number, characters: string): void {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    TABLE[code] = (TABLE[code] as number) | bit;
  }
}

const UNRESERVED = `${ALPHANUM}-_.!~*'()`;
add(TOKEN, `${ALPHANUM}-.!%*_+\`'~`);
add(USER, `${UNRESERVED}&=+$,;?/`);
add(URI_PARAM, `${UNRESERVED}[]/:&+$`);
add(HOST, `${ALPHANUM}-._`);
add(IPV6, '0123456789abcdefABCDEF:.');
add(URI_HEADER, `${UNRESERVED}[]/?:+$`);
for (let code = 0x21; code < 256; code++) {
  if (code !== 0x7f && code !== 0x2c && code !== 0x3b) TABLE[code] = (TABLE[code] as number) | WORD;
  if (code !== 0x7f && !'",;<>'.includes(String.fromCharCode(code))) TABLE[code] = (TABLE[code] as number) | VALUE;
}

/** True when `code` is of one of the classes in `bits`; characters above U+00FF belong to VALUE only. */
export function isClass(code: number, bits: number): boolean {
  return code < 256 ? ((TABLE[code] as number) & bits) !== 0 : (bits & VALUE) !== 0;
}

/** True when the byte is of one of the classes in `bits`. */
export function isByteClass(byte: number | undefined, bits: number): boolean {
  return ((TABLE[byte as number] as number) & bits) !== 0;
}

/** The first position at or after `from` whose byte is not of the class, at most `end`. */
export function skipBytes(bytes: Uint8Array, from: number, end: number, bits: number): number {
  let pos = from;
  while (pos < end && ((TABLE[bytes[pos] as number] as number) & bits) !== 0) pos++;
  return pos;
}

/** The first position at or after `from` without SP and HTAB, at most `end`. */
export function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  while (pos < end && (bytes[pos] === 0x20 || bytes[pos] === 0x09)) pos++;
  return pos;
}

/** A decimal number of at most `max`, digits only; -1 for anything else. Leading zeros are allowed. */
export function decimalBytes(bytes: Uint8Array, from: number, end: number, max: number): number {
  if (from >= end) return -1;
  let value = 0;
  for (let pos = from; pos < end; pos++) {
    const digit = (bytes[pos] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > max) return -1;
  }
  return value;
}

/** The first position at or after `from` whose character is not of the class, at most `end`. */
export function skipClass(text: string, from: number, end: number, bits: number): number {
  let pos = from;
  while (pos < end && isClass(text.charCodeAt(pos), bits)) pos++;
  return pos;
}

/** True for a non-empty text of only that class. */
export function isAll(text: string, bits: number): boolean {
  return text.length > 0 && skipClass(text, 0, text.length, bits) === text.length;
}

/** True for a token (RFC 3261 §25.1). */
export function isToken(text: string): boolean {
  return isAll(text, TOKEN);
}

/** SP or HTAB. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The text without white space at both ends. */
export function trim(text: string): string {
  const length = text.length;
  if (length === 0 || (!isSpace(text.charCodeAt(0)) && !isSpace(text.charCodeAt(length - 1)))) return text;
  let start = 0;
  let end = length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A decimal number of at most `max`, digits only; -1 for anything else. Leading zeros are allowed. */
export function decimal(text: string, from: number, end: number, max: number): number {
  if (from >= end) return -1;
  let value = 0;
  for (let pos = from; pos < end; pos++) {
    const digit = text.charCodeAt(pos) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > max) return -1;
  }
  return value;
}
