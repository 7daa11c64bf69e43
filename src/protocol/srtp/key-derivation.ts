import { createCipheriv } from 'node:crypto';
import type { SrtpMasterKey } from './crypto-attribute.js';
import type { SrtpSuite } from './suite.js';

/** What RTP, or RTCP, is protected with. */
export interface SessionKeys {
  readonly encryption: Uint8Array;
  /** 20 bytes for HMAC-SHA-1; Galois counter mode does not look at it. */
  readonly authentication: Uint8Array;
  readonly salt: Uint8Array;
}

/** The labels of RTP are 0 to 2, those of RTCP follow (RFC 3711 §4.3.1, §4.3.2). */
const RTP_LABELS = 0;
const RTCP_LABELS = 3;
const AUTHENTICATION_BYTES = 20;

/** The session keys of both protocols (RFC 3711 §4.3). */
export function sessionKeys(
  { keyBytes, saltBytes }: SrtpSuite,
  { key, salt }: SrtpMasterKey,
): { readonly rtp: SessionKeys; readonly rtcp: SessionKeys } {
  const from = (label: number): SessionKeys => ({
    encryption: deriveKey(key, salt, label, keyBytes),
    authentication: deriveKey(key, salt, label + 1, AUTHENTICATION_BYTES),
    salt: deriveKey(key, salt, label + 2, saltBytes),
  });
  return { rtp: from(RTP_LABELS), rtcp: from(RTCP_LABELS) };
}

const LABEL_AT = 7;
const BLOCK_BYTES = 16;

/**
 * Derives a session key or salt of `bytes` bytes from a master key of 128 bits (RFC 3711 §4.3.1 with AES-CM of §4.3.3), at a key derivation
 * rate of 0: once for the whole life of the master key. A salt of 96 bits (RFC 7714 §12) is filled up with zeros on the right.
 */
export function deriveKey(masterKey: Uint8Array, masterSalt: Uint8Array, label: number, bytes: number): Uint8Array {
  const start = new Uint8Array(BLOCK_BYTES);
  start.set(masterSalt);
  start[LABEL_AT] = (start[LABEL_AT] as number) ^ label;
  return new Uint8Array(createCipheriv('aes-128-ctr', masterKey, start).update(new Uint8Array(bytes)));
}
