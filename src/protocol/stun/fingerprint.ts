import { crc32 } from 'node:zlib';
import { Attribute } from './attribute-types.js';
import { extended } from './integrity.js';
import { attributeOf, type StunMessage } from './message.js';

/** "STUN" (RFC 8489 §14.7). */
const XORED_WITH = 0x5354554e;
const BYTES = 4;

/** The message with FINGERPRINT behind it; nothing may follow. */
export function withFingerprint(message: Uint8Array): Uint8Array {
  const whole = extended(message, Attribute.fingerprint, BYTES);
  whole.writeUInt32BE((crc32(whole.subarray(0, message.length)) ^ XORED_WITH) >>> 0, message.length + 4);
  return whole;
}

/** Whether it has a FINGERPRINT, and that fits the bytes as they came and stands last (RFC 8489 §7, §14.7). */
export function checkFingerprint(message: StunMessage): 'absent' | 'good' | 'bad' {
  const attribute = attributeOf(message, Attribute.fingerprint);
  if (attribute === undefined) return 'absent';
  const { value, offset } = attribute;
  const { bytes } = message;
  if (value.length !== BYTES || offset + 4 + BYTES !== bytes.length) return 'bad';
  const found = new DataView(value.buffer, value.byteOffset, BYTES).getUint32(0);
  return found === (crc32(bytes.subarray(0, offset)) ^ XORED_WITH) >>> 0 ? 'good' : 'bad';
}
