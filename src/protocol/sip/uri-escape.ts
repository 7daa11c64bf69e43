import { isUtf8 } from 'node:buffer';
import { isAll, isClass, URI_HEADER, URI_PARAM, USER } from './chars.js';

/** Escapes what may not stand in the user part (RFC 3261 §25.1); other characters go out as escaped UTF-8. */
export function escapeUser(user: string): string {
  return isAll(user, USER) ? user : escapeUriText(user, USER);
}

/** Escapes what may not stand in a URI parameter. */
export function escapeUriParam(text: string): string {
  return isAll(text, URI_PARAM) ? text : escapeUriText(text, URI_PARAM);
}

/** Escapes what may not stand in a URI header value, such as a Replaces in a Refer-To. */
export function escapeUriHeader(text: string): string {
  return isAll(text, URI_HEADER) ? text : escapeUriText(text, URI_HEADER);
}

function escapeUriText(text: string, bits: number): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    out +=
      isClass(byte, bits) && byte < 0x80
        ? String.fromCharCode(byte)
        : `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return out;
}

/** Replaces `%HH` once. Bytes that are no UTF-8 become one character each (ISO 8859-1), so nothing is lost or merged. */
export function unescapeUriText(text: string): string {
  if (!text.includes('%')) return text;
  const source = Buffer.from(text, 'utf8');
  const bytes = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    const high = source[i] === 0x25 ? hexDigit(source[i + 1] ?? 0) : -1;
    const low = high < 0 ? -1 : hexDigit(source[i + 2] ?? 0);
    if (low < 0) bytes[length++] = source[i] as number;
    else {
      bytes[length++] = high * 16 + low;
      i += 2;
    }
  }
  const used = bytes.subarray(0, length);
  return used.toString(isUtf8(used) ? 'utf8' : 'latin1');
}

/** The value of a hexadecimal digit, -1 for another character. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
