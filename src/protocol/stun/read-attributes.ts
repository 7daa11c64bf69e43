import { formatIpv6, normalizeHost, type SocketAddress } from '../../base/ip.js';
import { Attribute } from './attribute-types.js';
import { attributeOf, type StunMessage } from './message.js';

/** Why a request was refused (RFC 8489 §14.8). */
export interface StunError {
  /** 300 to 699. */
  readonly code: number;
  /** At most 127 characters, without control characters: it may go into a log. */
  readonly reason: string;
}

/** RFC 8489 §14.8. */
const MOST_REASON_CHARACTERS = 127;
const MOST_SOFTWARE_CHARACTERS = 127;

/**
 * The address that the server saw: XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS, which servers of RFC 3489 write
 * (RFC 5389 §12.1). Undefined where there is none, or one that cannot be (another family, another length, port 0).
 */
export function mappedAddressOf(message: StunMessage): SocketAddress | undefined {
  const xored = attributeOf(message, Attribute.xorMappedAddress);
  if (xored !== undefined) return readAddress(unXor(xored.value, message.bytes));
  const plain = attributeOf(message, Attribute.mappedAddress);
  return plain === undefined ? undefined : readAddress(plain.value);
}

/** Undefined where it is missing or out of range. The package multiplies class and number, and takes 401 for 404. */
export function errorOf(message: StunMessage): StunError | undefined {
  const value = attributeOf(message, Attribute.errorCode)?.value;
  if (value === undefined || value.length < 4) return undefined;
  const hundreds = (value[2] as number) & 7;
  const number = value[3] as number;
  if (hundreds < 3 || hundreds > 6 || number > 99) return undefined;
  return { code: hundreds * 100 + number, reason: readText(value.subarray(4), MOST_REASON_CHARACTERS) };
}

/** What the server is, if it says so (RFC 8489 §14.14). */
export function softwareOf(message: StunMessage): string | undefined {
  const value = attributeOf(message, Attribute.software)?.value;
  return value === undefined ? undefined : readText(value, MOST_SOFTWARE_CHARACTERS).trimEnd();
}

/** The types that a 420 names (RFC 8489 §14.9). */
export function unknownAttributesOf(message: StunMessage): readonly number[] {
  const value = attributeOf(message, Attribute.unknownAttributes)?.value ?? new Uint8Array(0);
  const types: number[] = [];
  for (let i = 0; i + 1 < value.length; i += 2) types.push(((value[i] as number) << 8) | (value[i + 1] as number));
  return types;
}

/**
 * The port is XORed with the first half of the cookie, the address with the cookie and the transaction id (RFC 8489 §14.2):
 * both stand in the header, and the address at the very place where it stands in the value.
 */
function unXor(value: Uint8Array, header: Uint8Array): Uint8Array {
  return value.map((byte, i) => (i < 2 ? byte : byte ^ (header[i < 4 ? i + 2 : i] ?? 0)));
}

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0 0 0 0 0 0 0|    Family     |           Port                |
 * |                 Address (32 bits or 128 bits)                 |
 */
function readAddress(value: Uint8Array): SocketAddress | undefined {
  const port = ((value[2] ?? 0) << 8) | (value[3] ?? 0);
  if (port === 0) return undefined;
  const address = value.subarray(4);
  if (value[1] === 1 && address.length === 4) return { address: address.join('.'), port };
  if (value[1] === 2 && address.length === 16) return { address: normalizeHost(formatIpv6(address)), port };
  return undefined;
}

function readText(bytes: Uint8Array, most: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').slice(0, most);
  return text.replace(/\p{Cc}/gu, '');
}
