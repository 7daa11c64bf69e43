import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { Attribute } from './attribute-types.js';
import { attributeOf, HEADER_BYTES, type StunMessage } from './message.js';

/** The hash under MESSAGE-INTEGRITY (RFC 8489 §14.5) or MESSAGE-INTEGRITY-SHA256 (§14.6). */
export type IntegrityHash = 'sha1' | 'sha256';

const TYPES: Readonly<Record<IntegrityHash, number>> = {
  sha1: Attribute.messageIntegrity,
  sha256: Attribute.messageIntegritySha256,
};
const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

/**
 * The key of long-term credentials (RFC 8489 §9.2.2, with MD5). The password has gone through OpaqueString (RFC 8265) already. The
 * key of short-term credentials is the password itself.
 */
export function longTermKey(username: string, realm: string, password: string): Uint8Array {
  return hash('md5', `${username}:${realm}:${password}`, 'buffer');
}

/** The message with the attribute behind it; a fingerprint comes afterwards. SHA-256 is never cut short. */
export function withIntegrity(message: Uint8Array, key: Uint8Array | string, by: IntegrityHash): Uint8Array {
  const size = by === 'sha1' ? SHA1_BYTES : SHA256_BYTES;
  const whole = extended(message, TYPES[by], size);
  whole.set(hmac(whole, message.length, size, key, by), message.length + 4);
  return whole;
}

/**
 * Whether the message has the attribute, and it was made with that key. On the bytes as they came: padding and
 * attributes unknown here count, and the package writes them anew.
 *
 * Deviates: SHA-256 must be whole. No usage here allows it to be cut short, and §14.6 wants one that says so.
 */
export function checkIntegrity(
  message: StunMessage,
  key: Uint8Array | string,
  by: IntegrityHash,
): 'absent' | 'good' | 'bad' {
  const attribute = attributeOf(message, TYPES[by]);
  if (attribute === undefined) return 'absent';
  const { value, offset } = attribute;
  const size = by === 'sha1' ? SHA1_BYTES : SHA256_BYTES;
  if (value.length !== size) return 'bad';
  return timingSafeEqual(hmac(message.bytes, offset, size, key, by), value) ? 'good' : 'bad';
}

/** Of what stands before `offset`, with the length in the header as if the attribute there were the last. */
function hmac(
  bytes: Uint8Array,
  offset: number,
  size: number,
  key: Uint8Array | string,
  by: IntegrityHash,
): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(offset + 4 + size - HEADER_BYTES);
  const mac = createHmac(by, key);
  return mac.update(bytes.subarray(0, 2)).update(length).update(bytes.subarray(4, offset)).digest();
}

/** The message with an attribute of zeros behind it, and the length that belongs to it. */
export function extended(message: Uint8Array, type: number, size: number): Buffer {
  const whole = Buffer.alloc(message.length + 4 + size);
  whole.set(message);
  whole.writeUInt16BE(whole.length - HEADER_BYTES, 2);
  whole.writeUInt16BE(type, message.length);
  whole.writeUInt16BE(size, message.length + 2);
  return whole;
}
