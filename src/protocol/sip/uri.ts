import { CLASS, decimalBytes, HOST, IPV6, isAll, skipBytes, TOKEN, URI_HEADER, URI_PARAM, USER } from './chars.js';
import { getParam, NO_PARAMS, type Param, type Params, putParams, sameName } from './params.js';
import { sipUriOf } from './plain.js';
import { literal, putClass, putCode, putLiteral, putNumber, putText, written } from './put.js';
import { Scanner } from './scanner.js';
import { escapeUser, hexDigit, unescapeUriText } from './uri-escape.js';
import type { SipUri, TelUri, Uri } from './values.js';

export type { OtherUri, SipUri, TelUri, Uri } from './values.js';

/** @throws SipParseError for anything but one absolute URI without white space or angle brackets. */
export function parseUri(text: string): Uri {
  const scanner = Scanner.of(text);
  return readUri(scanner, 0, text.length);
}

/** The URI from `start` to `end`. The position of the scanner is left alone. */
export function readUri(scanner: Scanner, start: number, end: number): Uri {
  const { bytes, text } = scanner;
  const a = (bytes[start] as number) | 0x20;
  const b = (bytes[start + 1] as number) | 0x20;
  const c = (bytes[start + 2] as number) | 0x20;
  const fourth = bytes[start + 3] as number;
  if (end - start >= 4) {
    if (a === 0x73 && b === 0x69 && c === 0x70) {
      if (fourth === 0x3a) return readSip(scanner, 'sip', start + 4, end);
      if ((fourth | 0x20) === 0x73 && bytes[start + 4] === 0x3a && end - start > 4) {
        return readSip(scanner, 'sips', start + 5, end);
      }
    } else if (a === 0x74 && b === 0x65 && c === 0x6c && fourth === 0x3a) return readTel(scanner, start + 4, end);
  }
  const colon = skipBytes(bytes, start, end, TOKEN);
  if (colon === start || colon >= end || bytes[colon] !== 0x3a) scanner.fail('a URI scheme', start);
  for (let pos = colon + 1; pos < end; pos++) if (isForbidden(bytes[pos] as number)) scanner.fail('a URI', pos);
  if (end === colon + 1) scanner.fail('a URI', end);
  return { kind: 'other', scheme: text.slice(start, colon).toLowerCase(), text: text.slice(start, end) };
}

function readSip(scanner: Scanner, scheme: 'sip' | 'sips', start: number, end: number): SipUri {
  const { bytes, text } = scanner;
  const classes = CLASS;
  let pos = start;
  let colon = -1;
  let escaped = false;
  let forbidden = -1;
  while (pos < end) {
    const code = bytes[pos] as number;
    if (((classes[code] as number) & USER) === 0) {
      if (code === 0x40) break;
      if (code === 0x3a) colon = colon < 0 ? pos : colon;
      else if (code === 0x25) escaped = true;
      // Deviates: other characters that phones send unescaped (#, UTF-8) are tolerated, but nothing that delimits.
      else if (isForbidden(code) && forbidden < 0) forbidden = pos;
    }
    pos++;
  }
  let user: string | undefined;
  let password: string | undefined;
  if (pos < end) {
    if (forbidden >= 0) scanner.fail('a user', forbidden);
    const userEnd = colon < 0 ? pos : colon;
    if (userEnd === start) scanner.fail('a user', start);
    user = text.slice(start, userEnd);
    if (escaped) {
      checkEscapes(scanner, start, pos);
      user = unescapeUriText(user);
    }
    if (colon >= 0) password = text.slice(colon + 1, pos);
    pos++;
  } else pos = start;
  let host: string;
  if (pos < end && bytes[pos] === 0x5b) {
    const close = skipBytes(bytes, pos + 1, end, IPV6);
    if (close === pos + 1 || close >= end || bytes[close] !== 0x5d) scanner.fail('an IPv6 address in brackets', pos);
    host = text.slice(pos + 1, close);
    pos = close + 1;
  } else {
    const hostEnd = skipBytes(bytes, pos, end, HOST);
    if (hostEnd === pos) scanner.fail('a host', pos);
    host = text.slice(pos, hostEnd);
    pos = hostEnd;
  }
  let port: number | undefined;
  if (pos < end && bytes[pos] === 0x3a) {
    const portEnd = skipBytes(bytes, pos + 1, end, HOST);
    port = decimalBytes(bytes, pos + 1, portEnd, 65_535);
    if (port < 1) scanner.fail('a port from 1 to 65535', pos + 1);
    pos = portEnd;
  }
  if (pos === end) return sipUriOf(scheme, user, password, host, port, NO_PARAMS, NO_PARAMS);
  let question = pos;
  while (question < end && bytes[question] !== 0x3f) question++;
  const params = readUriParams(scanner, pos, question);
  const headers = question === end ? NO_PARAMS : readUriHeaders(scanner, question + 1, end);
  return sipUriOf(scheme, user, password, host, port, params, headers);
}

function isForbidden(code: number): boolean {
  return code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e || code === 0x5c;
}

function checkEscapes(scanner: Scanner, start: number, end: number): void {
  for (let pos = start; pos < end; pos++) if (scanner.bytes[pos] === 0x25) checkEscape(scanner, pos, end);
}

function checkEscape(scanner: Scanner, pos: number, end: number): void {
  const { bytes } = scanner;
  if (pos + 2 >= end || hexDigit(bytes[pos + 1] as number) < 0 || hexDigit(bytes[pos + 2] as number) < 0) {
    scanner.fail('two hexadecimal digits behind %', pos);
  }
}

function readUriParams(scanner: Scanner, start: number, end: number): Params {
  if (start === end) return NO_PARAMS;
  const { bytes, text } = scanner;
  const params: Param[] = [];
  let pos = start;
  while (pos < end) {
    if (bytes[pos] !== 0x3b) scanner.fail('";"', pos);
    const nameEnd = skipEscaped(scanner, pos + 1, end, URI_PARAM);
    if (nameEnd === pos + 1) scanner.fail('a parameter name', nameEnd);
    const name = text.slice(pos + 1, nameEnd);
    if (nameEnd < end && bytes[nameEnd] === 0x3d) {
      pos = skipEscaped(scanner, nameEnd + 1, end, URI_PARAM);
      if (pos === nameEnd + 1) scanner.fail('a parameter value', pos);
      params.push({ name, value: text.slice(nameEnd + 1, pos) });
    } else {
      pos = nameEnd;
      params.push({ name });
    }
  }
  return params;
}

function readUriHeaders(scanner: Scanner, start: number, end: number): Params {
  const { bytes, text } = scanner;
  const headers: Param[] = [];
  let pos = start;
  for (;;) {
    const nameEnd = skipEscaped(scanner, pos, end, URI_HEADER);
    if (nameEnd === pos || nameEnd >= end || bytes[nameEnd] !== 0x3d) scanner.fail('a header name and "="', nameEnd);
    const valueEnd = skipEscaped(scanner, nameEnd + 1, end, URI_HEADER);
    headers.push({ name: text.slice(pos, nameEnd), value: text.slice(nameEnd + 1, valueEnd) });
    if (valueEnd === end) return headers;
    if (bytes[valueEnd] !== 0x26) scanner.fail('"&"', valueEnd);
    pos = valueEnd + 1;
  }
}

function skipEscaped(scanner: Scanner, start: number, end: number, bits: number): number {
  let pos = skipBytes(scanner.bytes, start, end, bits);
  while (pos < end && scanner.bytes[pos] === 0x25) {
    checkEscape(scanner, pos, end);
    pos = skipBytes(scanner.bytes, pos + 3, end, bits);
  }
  return pos;
}

function readTel(scanner: Scanner, start: number, end: number): TelUri {
  const { bytes, text } = scanner;
  let pos = start;
  let digits = 0;
  for (; pos < end && bytes[pos] !== 0x3b; pos++) {
    const code = bytes[pos] as number;
    if (hexDigit(code) >= 0 || code === 0x2a || code === 0x23) digits++;
    else if (!isVisualSeparator(code) && !(code === 0x2b && pos === start)) scanner.fail('a telephone number', pos);
  }
  if (digits === 0) scanner.fail('a telephone number', start);
  return { kind: 'tel', number: text.slice(start, pos), params: readUriParams(scanner, pos, end) };
}

/** `-.()` (RFC 3966 §3). */
function isVisualSeparator(code: number): boolean {
  return code === 0x2d || code === 0x2e || code === 0x28 || code === 0x29;
}

/** The URI as text, escaped where RFC 3261 §25.1 demands. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatUri(uri: Uri): string {
  return written(putUri, uri);
}

/** Writes the URI. */
export function putUri(start: number, uri: Uri): number {
  let pos = start;
  if (uri.kind === 'sip') pos = putSip(pos, uri);
  else if (uri.kind === 'tel') {
    pos = putLiteral(pos, TEL);
    pos = putText(pos, uri.number);
    pos = putParams(pos, uri.params);
  } else pos = putText(pos, uri.text);
  return pos;
}

const SIP = literal('sip:');
const SIPS = literal('sips:');
const TEL = literal('tel:');

function putSip(start: number, uri: SipUri): number {
  let pos = start;
  pos = putLiteral(pos, uri.scheme === 'sip' ? SIP : SIPS);
  if (uri.user !== undefined) {
    const userEnd = putClass(pos, uri.user, USER);
    pos = userEnd < 0 ? putText(pos, escapeUser(uri.user)) : userEnd;
    if (uri.password !== undefined) {
      pos = putCode(pos, 0x3a);
      pos = putText(pos, uri.password);
    }
    pos = putCode(pos, 0x40);
  }
  pos = putHost(pos, uri.host);
  if (uri.port !== undefined) {
    pos = putCode(pos, 0x3a);
    pos = putNumber(pos, uri.port);
  }
  if (uri.params.length > 0) pos = putParams(pos, uri.params);
  for (let i = 0; i < uri.headers.length; i++) {
    const header = uri.headers[i] as Param;
    pos = putCode(pos, i === 0 ? 0x3f : 0x26);
    pos = putText(pos, header.name);
    pos = putCode(pos, 0x3d);
    pos = putText(pos, header.value ?? '');
  }
  return pos;
}

/** Writes a host; IPv6 in brackets. */
export function putHost(start: number, host: string): number {
  return host.includes(':') ? putCode(putText(putCode(start, 0x5b), host), 0x5d) : putText(start, host);
}

/** A SIP URI from its parts. `scheme` is 'sip' unless said otherwise. */
export function sipUri(parts: {
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params?: Params | undefined;
  readonly scheme?: 'sip' | 'sips' | undefined;
}): SipUri {
  return sipUriOf(
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
  const [inA, inB] = [valuesOf(a.params), valuesOf(b.params)];
  for (const name of SIGNIFICANT) if ((inA(name) === undefined) !== (inB(name) === undefined)) return false;
  for (const { name } of a.params) {
    const [own, other] = [inA(name) as string, inB(name)];
    if (other !== undefined && !sameName(unescapeUriText(own), unescapeUriText(other))) return false;
  }
  return a.headers.length === b.headers.length && haveAll(a.headers, b.headers) && haveAll(b.headers, a.headers);
}

/** Beyond so many headers two URIs are equal only if these stand in the same order: a peer's text must not cost its square. */
const MANY = 16;

function haveAll(headers: Params, wanted: Params): boolean {
  if (wanted.length <= MANY) return wanted.every((each) => headers.some((header) => sameHeader(header, each)));
  return wanted.every((each, i) => sameHeader(headers[i] as Param, each));
}

function sameHeader(a: Param, b: Param): boolean {
  return sameName(a.name, b.name) && unescapeUriText(a.value ?? '') === unescapeUriText(b.value ?? '');
}

/** Looks the first parameter of a name up, whatever its case; '' for a flag. */
function valuesOf(params: Params): (name: string) => string | undefined {
  if (params.length <= MANY) return (name) => getParam(params, name);
  const values = new Map<string, string>();
  for (const { name, value = '' } of params) {
    const key = name.toLowerCase();
    if (!values.has(key)) values.set(key, value);
  }
  return (name) => values.get(name.toLowerCase());
}

/** No value of a parameter has a space. */
const ABSENT = ' ';

function equalTel(a: TelUri, b: TelUri): boolean {
  if (digitsOf(a) !== digitsOf(b) || a.params.length !== b.params.length) return false;
  const [inA, inB] = [valuesOf(a.params), valuesOf(b.params)];
  return (
    a.params.every(({ name }) => sameName(inA(name) as string, inB(name) ?? ABSENT)) &&
    b.params.every(({ name }) => inA(name) !== undefined)
  );
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
