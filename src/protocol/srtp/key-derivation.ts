import { createCipheriv } from 'node:crypto';

/** What a session key is for (RFC 3711 §4.3.1, §4.3.2). */
export const KEY_LABEL = {
  rtpEncryption: 0,
  rtpAuthentication: 1,
  rtpSalt: 2,
  rtcpEncryption: 3,
  rtcpAuthentication: 4,
  rtcpSalt: 5,
} as const;

export type KeyLabel = (typeof KEY_LABEL)[keyof typeof KEY_LABEL];

const LABEL_AT = 7;
const BLOCK_BYTES = 16;

/**
 * Derives a session key or salt of `bytes` bytes from a master key of 128 bits (RFC 3711 §4.3.1 with AES-CM of §4.3.3), at a key derivation
 * rate of 0: once for the whole life of the master key. A salt of 96 bits (RFC 7714 §12) is filled up with zeros on the right.
 */
export function deriveKey(masterKey: Uint8Array, masterSalt: Uint8Array, label: KeyLabel, bytes: number): Uint8Array {
  const start = new Uint8Array(BLOCK_BYTES);
  start.set(masterSalt);
  start[LABEL_AT] = (start[LABEL_AT] as number) ^ label;
  return new Uint8Array(createCipheriv('aes-128-ctr', masterKey, start).update(new Uint8Array(bytes)));
}
