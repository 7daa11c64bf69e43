import { type CipherGCM, createCipheriv, createDecipheriv } from 'node:crypto';
import { setWord, word } from '../rtp/words.js';
import type { SessionKeys } from './key-derivation.js';
import { ENCRYPTED, type PacketCipher, RTCP_CLEAR } from './packet-cipher.js';

const ALGORITHM = 'aes-128-gcm';
const TAG_BYTES = 16;
const TAG_LENGTH = { authTagLength: TAG_BYTES } as const;
const INDEX_BYTES = 4;
const IV_BYTES = 12;
const NO_BYTES = new Uint8Array(0);

/**
 * AES in Galois counter mode (RFC 7714 §8, §9). RTP: header, encrypted payload, tag, MKI; RTCP: 8 bytes, the encrypted rest, tag, E flag and
 * index, MKI. The tag is over all but the MKI.
 */
export class GcmCipher implements PacketCipher {
  readonly overhead: PacketCipher['overhead'];
  readonly mkiFromEnd: PacketCipher['mkiFromEnd'];
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #mki: Uint8Array;
  readonly #iv = new Uint8Array(IV_BYTES);

  constructor({ rtp, rtcp }: { readonly rtp: SessionKeys; readonly rtcp: SessionKeys }, mki: Uint8Array = NO_BYTES) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#mki = mki;
    this.overhead = { rtp: TAG_BYTES + mki.length, rtcp: TAG_BYTES + INDEX_BYTES + mki.length };
    this.mkiFromEnd = { rtp: mki.length, rtcp: mki.length };
  }

  sealRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.overhead.rtp);
    const cipher = createCipheriv(ALGORITHM, this.#rtp.encryption, this.#ivOf(this.#rtp, ssrc, index), TAG_LENGTH);
    sealed.set(packet.subarray(0, clear));
    cipher.setAAD(packet.subarray(0, clear));
    finish(cipher, packet, clear, sealed);
    sealed.set(this.#mki, length + TAG_BYTES);
    return sealed;
  }

  openRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array | undefined {
    const tagAt = packet.length - this.overhead.rtp;
    const iv = this.#ivOf(this.#rtp, ssrc, index);
    return open(this.#rtp.encryption, iv, packet.subarray(0, clear), packet, clear, tagAt);
  }

  sealRtcp(packet: Uint8Array, ssrc: number, index: number): Uint8Array {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.overhead.rtcp);
    const cipher = createCipheriv(ALGORITHM, this.#rtcp.encryption, this.#ivOf(this.#rtcp, ssrc, index), TAG_LENGTH);
    const wordOffset = length + TAG_BYTES;
    sealed.set(packet.subarray(0, RTCP_CLEAR));
    setWord(sealed, wordOffset, ENCRYPTED | index);
    cipher.setAAD(
      Buffer.concat([packet.subarray(0, RTCP_CLEAR), sealed.subarray(wordOffset, wordOffset + INDEX_BYTES)]),
    );
    finish(cipher, packet, RTCP_CLEAR, sealed);
    sealed.set(this.#mki, wordOffset + INDEX_BYTES);
    return sealed;
  }

  openRtcp(packet: Uint8Array, ssrc: number): Uint8Array | undefined {
    const wordOffset = this.indexAt(packet.length);
    const tagAt = wordOffset - TAG_BYTES;
    const flagged = word(packet, wordOffset);
    const iv = this.#ivOf(this.#rtcp, ssrc, flagged & ~ENCRYPTED);
    // What is not encrypted is authenticated as it is (§9.3).
    const clear = flagged >= ENCRYPTED ? RTCP_CLEAR : tagAt;
    const associated = Buffer.concat([
      packet.subarray(0, clear),
      packet.subarray(wordOffset, wordOffset + INDEX_BYTES),
    ]);
    return open(this.#rtcp.encryption, iv, associated, packet, clear, tagAt);
  }

  indexAt(length: number): number {
    return length - this.#mki.length - INDEX_BYTES;
  }

  /** Two zero bytes, the SSRC and the index of 48 bits, XOR the salt (§8.1, §9.1). Written over by the next packet. */
  #ivOf({ salt }: SessionKeys, ssrc: number, index: number): Uint8Array {
    const iv = this.#iv;
    setWord(iv, 2, ssrc);
    iv[0] = 0;
    iv[1] = 0;
    iv[6] = Math.floor(index / 0x10000000000);
    iv[7] = Math.floor(index / 0x100000000);
    setWord(iv, 8, index >>> 0);
    for (let i = 0; i < IV_BYTES; i++) iv[i] = (iv[i] as number) ^ (salt[i] as number);
    return iv;
  }
}

/** Encrypts the packet from `clear` on to the same place of `sealed`, and puts the tag behind it. */
function finish(cipher: CipherGCM, packet: Uint8Array, clear: number, sealed: Uint8Array): void {
  sealed.set(cipher.update(packet.subarray(clear)), clear);
  cipher.final();
  sealed.set(cipher.getAuthTag(), packet.length);
}

/** The packet up to the tag with what follows `clear` decrypted; undefined when the tag is not right. */
function open(
  key: Uint8Array,
  iv: Uint8Array,
  associated: Uint8Array,
  packet: Uint8Array,
  clear: number,
  tagAt: number,
): Uint8Array | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, iv, TAG_LENGTH);
  decipher.setAAD(associated);
  decipher.setAuthTag(packet.subarray(tagAt, tagAt + TAG_BYTES));
  const opened = Buffer.allocUnsafe(tagAt);
  opened.set(packet.subarray(0, clear));
  opened.set(decipher.update(packet.subarray(clear, tagAt)), clear);
  try {
    decipher.final();
  } catch {
    // The only thing that it says: the tag is not that of these bytes.
    return undefined;
  }
  return opened;
}
