import { CLASS, HOST, TOKEN, URI_PARAM, USER, VALUE, WORD } from './chars.js';
import { NO_PARAMS, type Param, type Params } from './params.js';
import type { CSeq, NameAddr, SipUri, Via } from './values.js';

/**
 * Reads a value in its usual form, and gives back undefined for everything else: the reader with the whole grammar then takes over.
 *
 * Usual is ASCII on one line, without escapes, without white space where none is needed, an address in angle brackets. Every message
 * has half a dozen of these, so nothing here is an object but the result.
 *
 * @param text one character for each byte
 * @param bytes the same text; behind `end` stands CR, which belongs to no character class, so no loop looks for the end
 */
export type PlainReader<T> = (text: string, bytes: Uint8Array, start: number, end: number) => T | undefined;

// Constants of this module, because the compiler folds no constant of another one.
const CLASSES: Uint8Array = CLASS;
const TOKENS = TOKEN;
const USERS = USER;
const HOSTS = HOST;
const URI_PARAMS = URI_PARAM;
const VALUES = VALUE;
const WORDS = WORD;
const NONE: Params = NO_PARAMS;

/** Where the last reader of a part stopped; sound only directly behind a call that gave a value. */
let at = 0;

/** The first position from `from` on whose byte is not of the class. */
function skip(bytes: Uint8Array, from: number, bits: number): number {
  let pos = from;
  while (((CLASSES[bytes[pos] as number] as number) & bits) !== 0) pos++;
  return pos;
}

function plainParam(
  text: string,
  bytes: Uint8Array,
  start: number,
  nameBits: number,
  valueBits: number,
): Param | undefined {
  const nameEnd = skip(bytes, start, nameBits);
  if (nameEnd === start) return undefined;
  const name = text.slice(start, nameEnd);
  if (bytes[nameEnd] !== 0x3d) {
    at = nameEnd;
    return { name };
  }
  const valueStart = nameEnd + 1;
  const end = asciiEnd(bytes, valueStart, valueBits);
  if (end <= valueStart) return undefined;
  at = end;
  return { name, value: text.slice(valueStart, end) };
}

/** As `skip`; -1 when a byte above 127 is among those. */
function asciiEnd(bytes: Uint8Array, from: number, bits: number): number {
  let pos = from;
  let seen = 0;
  let code = bytes[pos] as number;
  while (((CLASSES[code] as number) & bits) !== 0) {
    seen |= code;
    code = bytes[++pos] as number;
  }
  return seen > 0x7f ? -1 : pos;
}

function plainParams(
  text: string,
  bytes: Uint8Array,
  start: number,
  nameBits: number,
  valueBits: number,
): Params | undefined {
  at = start;
  if (bytes[start] !== 0x3b) return NONE;
  const first = plainParam(text, bytes, start + 1, nameBits, valueBits);
  if (first === undefined) return undefined;
  // Lists of one and two are made at their size: pushing to an empty one makes room for seventeen.
  if (bytes[at] !== 0x3b) return [first];
  const second = plainParam(text, bytes, at + 1, nameBits, valueBits);
  if (second === undefined) return undefined;
  const params = [first, second];
  while (bytes[at] === 0x3b) {
    const param = plainParam(text, bytes, at + 1, nameBits, valueBits);
    if (param === undefined) return undefined;
    params.push(param);
  }
  return params;
}

/** Reads `:port` if it is there. 0: it is not; -1: it is unusual. */
function plainPort(bytes: Uint8Array, start: number): number {
  at = start;
  if (bytes[start] !== 0x3a) return 0;
  let pos = start + 1;
  let port = 0;
  let digit = (bytes[pos] as number) - 0x30;
  while (digit >= 0 && digit <= 9 && port <= 65_535) {
    port = port * 10 + digit;
    digit = (bytes[++pos] as number) - 0x30;
  }
  at = pos;
  return port >= 1 && port <= 65_535 ? port : -1;
}

function plainUri(text: string, bytes: Uint8Array, start: number): SipUri | undefined {
  if (
    ((bytes[start] as number) | 0x20) !== 0x73 ||
    ((bytes[start + 1] as number) | 0x20) !== 0x69 ||
    ((bytes[start + 2] as number) | 0x20) !== 0x70
  ) {
    return undefined;
  }
  const secure = ((bytes[start + 3] as number) | 0x20) === 0x73;
  const colon = secure ? start + 4 : start + 3;
  if (bytes[colon] !== 0x3a) return undefined;
  let hostStart = colon + 1;
  let user: string | undefined;
  const userEnd = skip(bytes, hostStart, USERS);
  // No "@" here: either there is no user, or what follows is no host, no port and no parameter.
  if (bytes[userEnd] === 0x40) {
    if (userEnd === hostStart) return undefined;
    user = text.slice(hostStart, userEnd);
    hostStart = userEnd + 1;
  }
  const hostEnd = skip(bytes, hostStart, HOSTS);
  if (hostEnd === hostStart) return undefined;
  const host = text.slice(hostStart, hostEnd);
  const port = plainPort(bytes, hostEnd);
  if (port < 0) return undefined;
  const params = plainParams(text, bytes, at, URI_PARAMS, URI_PARAMS);
  if (params === undefined) return undefined;
  return sipUriOf(secure ? 'sips' : 'sip', user, undefined, host, port === 0 ? undefined : port, params, NONE);
}

/** A SIP URI with those parts that it has. Written out, because a spread per optional field costs more than the whole parse. */
export function sipUriOf(
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

/** `"Name" <sip:…>;params`, also with a name without quotes or without a name. */
export function plainNameAddr(text: string, bytes: Uint8Array, start: number, end: number): NameAddr | undefined {
  let pos = start;
  let displayName: string | undefined;
  let code = bytes[pos] as number;
  if (code === 0x22) {
    code = bytes[++pos] as number;
    while (code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c) code = bytes[++pos] as number;
    if (code !== 0x22) return undefined;
    displayName = text.slice(start + 1, pos);
    do code = bytes[++pos] as number;
    while (code === 0x20);
  } else if (code !== 0x3c) {
    pos = displayEnd(bytes, start);
    displayName = text.slice(start, pos).trimEnd();
  }
  if (bytes[pos] !== 0x3c) return undefined;
  const uri = plainUri(text, bytes, pos + 1);
  if (uri === undefined || bytes[at] !== 0x3e) return undefined;
  const params = plainParams(text, bytes, at + 1, TOKENS, VALUES);
  if (params === undefined || at !== end) return undefined;
  return displayName === undefined ? { uri, params } : { displayName, uri, params };
}

/** Where a name without quotes ends, or may no longer be one. */
function displayEnd(bytes: Uint8Array, start: number): number {
  let pos = start;
  for (;;) {
    const code = bytes[pos] as number;
    const usual = code === 0x20 || (code < 0x7f && ((CLASSES[code] as number) & VALUES) !== 0);
    if (!usual || code === 0x3a || code === 0x40 || code === 0x5c) return pos;
    pos++;
  }
}

/** A list of one address. */
export function plainAddresses(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly NameAddr[] | undefined {
  const value = plainNameAddr(text, bytes, start, end);
  return value === undefined ? undefined : [value];
}

/** A list of one `SIP/2.0/transport host:port;params`. */
export function plainVias(text: string, bytes: Uint8Array, start: number, end: number): readonly Via[] | undefined {
  if (
    bytes[start] !== 0x53 ||
    bytes[start + 1] !== 0x49 ||
    bytes[start + 2] !== 0x50 ||
    bytes[start + 3] !== 0x2f ||
    bytes[start + 4] !== 0x32 ||
    bytes[start + 5] !== 0x2e ||
    bytes[start + 6] !== 0x30 ||
    bytes[start + 7] !== 0x2f
  ) {
    return undefined;
  }
  const transportEnd = skip(bytes, start + 8, TOKENS);
  if (transportEnd === start + 8 || bytes[transportEnd] !== 0x20) return undefined;
  const hostEnd = skip(bytes, transportEnd + 1, HOSTS);
  if (hostEnd === transportEnd + 1) return undefined;
  const transport = text.slice(start + 8, transportEnd);
  const host = text.slice(transportEnd + 1, hostEnd);
  const port = plainPort(bytes, hostEnd);
  if (port < 0) return undefined;
  const params = plainParams(text, bytes, at, TOKENS, VALUES);
  if (params === undefined || at !== end) return undefined;
  return port === 0
    ? [{ protocol: 'SIP/2.0', transport, host, params }]
    : [{ protocol: 'SIP/2.0', transport, host, port, params }];
}

/** Number, one space, method. */
export function plainCSeq(text: string, bytes: Uint8Array, start: number, end: number): CSeq | undefined {
  let pos = start;
  let sequence = 0;
  let digit = (bytes[pos] as number) - 0x30;
  while (digit >= 0 && digit <= 9 && sequence <= 0x7fff_ffff) {
    sequence = sequence * 10 + digit;
    digit = (bytes[++pos] as number) - 0x30;
  }
  if (pos === start || sequence > 0x7fff_ffff || bytes[pos] !== 0x20) return undefined;
  const methodEnd = skip(bytes, pos + 1, TOKENS);
  if (methodEnd === pos + 1 || methodEnd !== end) return undefined;
  return { sequence, method: text.slice(pos + 1, end) };
}

/** One word. */
export function plainCallId(text: string, bytes: Uint8Array, start: number, end: number): string | undefined {
  return end > start && asciiEnd(bytes, start, WORDS) === end ? text.slice(start, end) : undefined;
}
