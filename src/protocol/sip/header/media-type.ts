import { type Params, putParams, readParams } from '../params.js';
import { putCode, putText, written } from '../put.js';
import { Scanner } from '../scanner.js';
import { commaList, type HeaderCodec, list, single, whole } from './codec.js';

/** A media type (RFC 3261 §20.15). */
export interface MediaType {
  /** Lower case. */
  readonly type: string;
  /** Lower case. */
  readonly subtype: string;
  readonly params: Params;
}

/** A token with parameters: Content-Disposition, and the elements of Accept-Encoding and Accept-Language. */
export interface TokenWithParams {
  readonly value: string;
  readonly params: Params;
}

function readMediaType(scanner: Scanner): MediaType {
  const type = scanner.token('a media type').toLowerCase();
  scanner.expect(0x2f);
  const subtype = scanner.token('a media subtype').toLowerCase();
  return { type, subtype, params: readParams(scanner) };
}

/** @throws SipParseError */
export function parseMediaType(text: string): MediaType {
  return readWhole(Scanner.of(text));
}

const readWhole = whole(readMediaType);

/** `type/subtype;params`. @throws UsageError PBX_INVALID_ARGUMENT for CR, LF or NUL in a part. */
export function formatMediaType(value: MediaType): string {
  return written(putMediaType, value);
}

function putMediaType(start: number, value: MediaType): number {
  let pos = start;
  pos = putText(pos, value.type);
  pos = putCode(pos, 0x2f);
  pos = putText(pos, value.subtype);
  if (value.params.length > 0) pos = putParams(pos, value.params);
  return pos;
}

/** True when the value is that type, such as `isMediaType(value, 'application', 'sdp')`. */
export function isMediaType(value: MediaType, type: string, subtype: string): boolean {
  return value.type === type && value.subtype === subtype;
}

export const contentTypeCodec = single('Content-Type', readWhole, putMediaType, 'c');
export const acceptCodec = list('Accept', commaList(readMediaType, true), putMediaType);

function readTokenWithParams(scanner: Scanner): TokenWithParams {
  return { value: scanner.token('a token'), params: readParams(scanner) };
}

function putTokenWithParams(start: number, value: TokenWithParams): number {
  let pos = start;
  pos = putText(pos, value.value);
  pos = putParams(pos, value.params);
  return pos;
}

/** A header that is one token with parameters. */
export function tokenWithParams(name: string): HeaderCodec<TokenWithParams> {
  return single(name, whole(readTokenWithParams), putTokenWithParams);
}

/** A list of tokens with parameters, which may be empty. */
export function tokensWithParams(name: string): HeaderCodec<readonly TokenWithParams[]> {
  return list(name, commaList(readTokenWithParams, true), putTokenWithParams);
}
