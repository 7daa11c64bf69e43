import { UsageError } from '../../base/errors.js';

/**
 * Wire text is a string with one character per byte (ISO 8859-1), so that what came in goes out byte for byte.
 * Everything a program reads or sets is ordinary text; these functions go from one to the other by UTF-8 (RFC 3261 §7).
 */

/** True when every character is below U+0080: then wire text and ordinary text are the same. */
export function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function decodeWire(wire: string): string {
  return isAsciiText(wire) ? wire : Buffer.from(wire, 'latin1').toString('utf8');
}

/** Ordinary text as UTF-8 wire text. */
export function encodeWire(text: string): string {
  return isAsciiText(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * Nothing that a program hands over may end a line and begin another.
 * @throws UsageError PBX_INVALID_ARGUMENT for text with CR or LF.
 */
export function checkLine(text: string, what: string): void {
  if (!text.includes('\r') && !text.includes('\n')) return;
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `${what}: found ${JSON.stringify(text.slice(0, 40))}, expected text without CR and LF`,
  );
}

/** The text without NUL, which peers are known to stumble over. */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

const MAYBE_SPACE = (code: number) => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

/** Replaces each fold, and a stray CR, with the white space around it by one SP (RFC 3261 §7.3.1). */
export function unfold(wire: string): string {
  if (!wire.includes('\r')) return wire;
  let out = '';
  let from = 0;
  for (let cr = wire.indexOf('\r'); cr >= 0; cr = wire.indexOf('\r', from)) {
    let start = cr;
    while (start > from && MAYBE_SPACE(wire.charCodeAt(start - 1))) start--;
    out += wire.slice(from, start);
    from = cr + 1;
    while (from < wire.length && MAYBE_SPACE(wire.charCodeAt(from))) from++;
    if (from < wire.length && out !== '') out += ' ';
  }
  return out + wire.slice(from);
}
