import {
  decimal,
  HOST,
  IPV6,
  isAll,
  isClass,
  isToken,
  skipClass,
  TOKEN,
  URI_HEADER,
  URI_PARAM,
  USER,
} from './chars.js';
import { formatParams, getParam, NO_PARAMS, type Param, type Params, sameName } from './params.js';
import { SipParseError } from './parse-error.js';

/** A SIP or SIPS URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  /** Unescaped once. */
  readonly user?: string;
  /** As it stands, escapes included. */
  readonly password?: string;
  /** Host name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Raw text, escapes included. */
  readonly params: Params;
  /** The part behind `?`: raw text, escapes included. */
  readonly headers: Params;
}

/** A tel URI (RFC 3966). */
export interface TelUri {
  readonly kind: 'tel';
  /** As it stands, visual separators included. */
  readonly number: string;
  readonly params: Params;
}

/** Any other scheme, kept as text. */
export interface OtherUri {
  readonly kind: 'other';
  readonly scheme: string;
  /** The whole URI. */
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

/** @throws SipParseError for anything but one absolute URI without white space or angle brackets. */
export function parseUri(text: string): Uri {
  const colon = text.indexOf(':');
  if (colon < 1) fail(text, 0, 'a URI scheme');
  if (colon === 3 && isWord(text, 'sip')) return parseSip(text, 'sip', 4);
  if (colon === 4 && isWord(text, 'sips')) return parseSip(text, 'sips', 5);
  if (colon === 3 && isWord(text, 'tel')) return parseTel(text);
  const scheme = text.slice(0, colon);
  if (!isToken(scheme)) fail(text, 0, 'a URI scheme');
  for (let pos = colon + 1; pos < text.length; pos++) {
    const code = text.charCodeAt(pos);
    if (code <= 0x20 || code === 0x7f || code === 0x3c || code === 0x3e || code === 0x22) fail(text, pos, 'a URI');
  }
  if (text.length === colon + 1) fail(text, colon + 1, 'a URI');
  return { kind: 'other', scheme: scheme.toLowerCase(), text };
}

function isWord(text: string, word: string): boolean {
  return text.startsWith(word) || text.slice(0, word.length).toLowerCase() === word;
}

function fail(text: string, offset: number, expected: string): never {
  const found = offset >= text.length ? 'the end' : JSON.stringify(text.slice(offset, offset + 12));
  throw new SipParseError(`expected ${expected}, found ${found} in the URI`, { offset });
}

function parseSip(text: string, scheme: 'sip' | 'sips', start: number): SipUri {
  const at = text.indexOf('@', start);
  let user: string | undefined;
  let password: string | undefined;
  let pos = start;
  if (at >= 0) {
    const colon = text.indexOf(':', start);
    const userEnd = colon >= 0 && colon < at ? colon : at;
    user = unescapeUser(text, start, userEnd);
    if (userEnd < at) password = checkPassword(text, userEnd + 1, at);
    pos = at + 1;
  }
  let host: string;
  if (text.charCodeAt(pos) === 0x5b) {
    const close = skipClass(text, pos + 1, text.length, IPV6);
    if (close === pos + 1 || text.charCodeAt(close) !== 0x5d) fail(text, pos, 'an IPv6 address in brackets');
    host = text.slice(pos + 1, close);
    pos = close + 1;
  } else {
    const end = skipClass(text, pos, text.length, HOST);
    if (end === pos) fail(text, pos, 'a host');
    host = text.slice(pos, end);
    pos = end;
  }
  let port: number | undefined;
  if (text.charCodeAt(pos) === 0x3a) {
    let end = pos + 1;
    while (end < text.length && isClass(text.charCodeAt(end), HOST)) end++;
    port = decimal(text, pos + 1, end, 65_535);
    if (port < 1) fail(text, pos + 1, 'a port from 1 to 65535');
    pos = end;
  }
  if (pos === text.length) return sipValue(scheme, user, password, host, port, NO_PARAMS, NO_PARAMS);
  const question = text.indexOf('?', pos);
  const params = readUriParams(text, pos, question < 0 ? text.length : question);
  const headers = question < 0 ? NO_PARAMS : readUriHeaders(text, question + 1);
  return sipValue(scheme, user, password, host, port, params, headers);
}

// Written out, because a spread per optional field costs more than the whole parse.
function sipValue(
  scheme: 'sip' | 'sips',
  user: string | undefined,
  password: string | undefined,
  host: string,
  port: number | undefined,
  params: Params,
  headers: Params,
): SipUri {
  if (password !== undefined && user !== undefined) {
    return port === undefined
      ? { kind: 'sip', scheme, user, password, host, params, headers }
      : { kind: 'sip', scheme, user, password, host, port, params, headers };
  }
  if (user !== undefined) {
    return port === undefined
      ? { kind: 'sip', scheme, user, host, params, headers }
      : { kind: 'sip', scheme, user, host, port, params, headers };
  }
  return port === undefined
    ? { kind: 'sip', scheme, host, params, headers }
    : { kind: 'sip', scheme, host, port, params, headers };
}

/** Tolerates unescaped characters that phones send (`#`, UTF-8), but nothing that delimits. */
function unescapeUser(text: string, start: number, end: number): string {
  if (start === end) fail(text, start, 'a user');
  let escaped = false;
  for (let pos = start; pos < end; pos++) {
    const code = text.charCodeAt(pos);
    if (isClass(code, USER)) continue;
    if (code === 0x25) {
      checkEscape(text, pos, end);
      escaped = true;
    } else if (isForbidden(code)) fail(text, pos, 'a user');
  }
  const user = text.slice(start, end);
  return escaped ? unescapeUriText(user) : user;
}

function checkPassword(text: string, start: number, end: number): string {
  for (let pos = start; pos < end; pos++) {
    const code = text.charCodeAt(pos);
    if (code === 0x25) checkEscape(text, pos, end);
    else if (isForbidden(code)) fail(text, pos, 'a password');
  }
  return text.slice(start, end);
}

function isForbidden(code: number): boolean {
  return code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e || code === 0x5c;
}

function checkEscape(text: string, pos: number, end: number): void {
  if (pos + 2 >= end || hexDigit(text.charCodeAt(pos + 1)) < 0 || hexDigit(text.charCodeAt(pos + 2)) < 0) {
    fail(text, pos, 'two hexadecimal digits behind %');
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function readUriParams(text: string, start: number, end: number): Params {
  if (start === end) return NO_PARAMS;
  const params: Param[] = [];
  let pos = start;
  while (pos < end) {
    if (text.charCodeAt(pos) !== 0x3b) fail(text, pos, '";"');
    const nameEnd = skipEscaped(text, pos + 1, end, URI_PARAM);
    if (nameEnd === pos + 1) fail(text, nameEnd, 'a parameter name');
    const name = text.slice(pos + 1, nameEnd);
    if (text.charCodeAt(nameEnd) === 0x3d && nameEnd < end) {
      pos = skipEscaped(text, nameEnd + 1, end, URI_PARAM);
      if (pos === nameEnd + 1) fail(text, pos, 'a parameter value');
      params.push({ name, value: text.slice(nameEnd + 1, pos) });
    } else {
      pos = nameEnd;
      params.push({ name });
    }
  }
  return params;
}

function readUriHeaders(text: string, start: number): Params {
  const headers: Param[] = [];
  let pos = start;
  do {
    const nameEnd = skipEscaped(text, pos, text.length, URI_HEADER);
    if (nameEnd === pos || text.charCodeAt(nameEnd) !== 0x3d) fail(text, nameEnd, 'a header name and "="');
    const valueEnd = skipEscaped(text, nameEnd + 1, text.length, URI_HEADER);
    headers.push({ name: text.slice(pos, nameEnd), value: text.slice(nameEnd + 1, valueEnd) });
    pos = valueEnd + 1;
    if (valueEnd < text.length && text.charCodeAt(valueEnd) !== 0x26) fail(text, valueEnd, '"&"');
  } while (pos <= text.length);
  return headers;
}

function skipEscaped(text: string, start: number, end: number, bits: number): number {
  let pos = start;
  while (pos < end) {
    const code = text.charCodeAt(pos);
    if (code === 0x25) {
      checkEscape(text, pos, end);
      pos += 3;
    } else if (isClass(code, bits)) pos++;
    else break;
  }
  return pos;
}

function parseTel(text: string): TelUri {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const number = text.slice(4, end);
  let digits = 0;
  for (let i = 0; i < number.length; i++) {
    const code = number.charCodeAt(i);
    if (hexDigit(code) >= 0 || code === 0x2a || code === 0x23) digits++;
    else if (!'-.()'.includes(number.charAt(i)) && !(code === 0x2b && i === 0)) fail(text, 4 + i, 'a telephone number');
  }
  if (digits === 0) fail(text, 4, 'a telephone number');
  return { kind: 'tel', number, params: readUriParams(text, end, text.length) };
}

/** The URI as text, escaped where RFC 3261 §25.1 demands. */
export function formatUri(uri: Uri): string {
  if (uri.kind === 'sip') return formatSip(uri);
  return uri.kind === 'tel' ? `tel:${uri.number}${formatParams(uri.params)}` : uri.text;
}

function formatSip(uri: SipUri): string {
  const host = uri.host.includes(':') ? `[${uri.host}]` : uri.host;
  let out: string = uri.scheme;
  if (uri.user === undefined) out += `:${host}`;
  else if (uri.password === undefined) out += `:${escapeUser(uri.user)}@${host}`;
  else out += `:${escapeUser(uri.user)}:${uri.password}@${host}`;
  if (uri.port !== undefined) out += `:${uri.port}`;
  if (uri.params.length > 0) out += formatParams(uri.params);
  for (let i = 0; i < uri.headers.length; i++) {
    const header = uri.headers[i] as Param;
    out += `${i === 0 ? '?' : '&'}${header.name}=${header.value ?? ''}`;
  }
  return out;
}

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
  const decoded = bytes.toString('utf8', 0, length);
  return decoded.includes('\uFFFD') ? bytes.toString('latin1', 0, length) : decoded;
}

/** A SIP URI from its parts. `scheme` is 'sip' unless said otherwise. */
export function sipUri(parts: {
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params?: Params | undefined;
  readonly scheme?: 'sip' | 'sips' | undefined;
}): SipUri {
  return sipValue(
    parts.scheme ?? 'sip',
    parts.user,
    undefined,
    parts.host,
    parts.port,
    parts.params ?? NO_PARAMS,
    NO_PARAMS,
  );
}

/** Canonical `user@host` of an address-of-record (RFC 3261 §10.3 step 5): host in lower case, no port, no parameters. */
export function aorOf(uri: SipUri): string {
  const host = uri.host.toLowerCase();
  return uri.user === undefined ? host : `${uri.user}@${host}`;
}

/** Equivalence of RFC 3261 §19.1.4; tel URIs by RFC 3966 §4; other schemes by their text. */
export function equalUris(a: Uri, b: Uri): boolean {
  if (a.kind === 'sip' && b.kind === 'sip') return equalSip(a, b);
  if (a.kind === 'tel' && b.kind === 'tel') return equalTel(a, b);
  return a.kind === 'other' && b.kind === 'other' && a.text === b.text;
}

// A parameter of these that stands in one URI only makes the two differ; any other is ignored then.
const SIGNIFICANT = ['user', 'ttl', 'method', 'maddr', 'transport'];

function equalSip(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme || a.user !== b.user || a.port !== b.port || !sameName(a.host, b.host)) return false;
  if (unescapeUriText(a.password ?? '') !== unescapeUriText(b.password ?? '')) return false;
  for (const name of SIGNIFICANT) {
    if ((getParam(a.params, name) === undefined) !== (getParam(b.params, name) === undefined)) return false;
  }
  for (const param of a.params) {
    const other = getParam(b.params, param.name);
    if (other !== undefined && !sameName(unescapeUriText(param.value ?? ''), unescapeUriText(other))) return false;
  }
  return a.headers.length === b.headers.length && a.headers.every((header) => hasHeader(b.headers, header));
}

function hasHeader(headers: Params, wanted: Param): boolean {
  const value = unescapeUriText(wanted.value ?? '');
  return headers.some((header) => sameName(header.name, wanted.name) && unescapeUriText(header.value ?? '') === value);
}

function equalTel(a: TelUri, b: TelUri): boolean {
  if (digitsOf(a) !== digitsOf(b) || a.params.length !== b.params.length) return false;
  return a.params.every((param) => {
    const other = getParam(b.params, param.name);
    return other !== undefined && sameName(param.value ?? '', other);
  });
}

/** The number of a tel URI without visual separators (RFC 3966 §5.1.1). */
export function digitsOf(uri: TelUri): string {
  let out = '';
  for (const character of uri.number.toLowerCase()) if (!'-.()'.includes(character)) out += character;
  return out;
}

/** True when the text is a host that may stand in a URI or a Via: a name, an IPv4 address, an IPv6 address without brackets. */
export function isHost(text: string): boolean {
  return isAll(text, HOST) || (text.includes(':') && isAll(text, IPV6));
}

/** True when the text may stand as a parameter name. */
export function isParamName(text: string): boolean {
  return isAll(text, TOKEN);
}
