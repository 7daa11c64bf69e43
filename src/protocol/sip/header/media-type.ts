import { type ByteWriter, written } from '../byte-writer.js';
import { type Params, readParams, writeParams } from '../params.js';
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
  return written((writer) => writeMediaType(writer, value));
}

function writeMediaType(writer: ByteWriter, value: MediaType): void {
  writer.text(value.type);
  writer.code(0x2f);
  writer.text(value.subtype);
  if (value.params.length > 0) writeParams(writer, value.params);
}

/** True when the value is that type, such as `isMediaType(value, 'application', 'sdp')`. */
export function isMediaType(value: MediaType, type: string, subtype: string): boolean {
  return value.type === type && value.subtype === subtype;
}

export const contentTypeCodec = single('Content-Type', readWhole, writeMediaType, 'c');
export const acceptCodec = list('Accept', commaList(readMediaType, true), writeMediaType);

function readTokenWithParams(scanner: Scanner): TokenWithParams {
  return { value: scanner.token('a token'), params: readParams(scanner) };
}

function writeTokenWithParams(writer: ByteWriter, value: TokenWithParams): void {
  writer.text(value.value);
  writeParams(writer, value.params);
}

/** A header that is one token with parameters. */
export function tokenWithParams(name: string): HeaderCodec<TokenWithParams> {
  return single(name, whole(readTokenWithParams), writeTokenWithParams);
}

/** A list of tokens with parameters, which may be empty. */
export function tokensWithParams(name: string): HeaderCodec<readonly TokenWithParams[]> {
  return list(name, commaList(readTokenWithParams, true), writeTokenWithParams);
}
