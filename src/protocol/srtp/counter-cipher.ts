import { timingSafeEqual } from 'node:crypto';
import { setWord, word } from '../rtp/words.js';
import { HmacSha1 } from './hmac-sha1.js';
import type { SessionKeys } from './key-derivation.js';
import { KeyStream } from './key-stream.js';
import { ENCRYPTED, type PacketCipher, RTCP_CLEAR } from './packet-cipher.js';
import type { SrtpSuite } from './suite.js';

const INDEX_BYTES = 4;
const SEQUENCES = 0x10000;
const NO_BYTES = new Uint8Array(0);

/**
 * AES in counter mode with HMAC-SHA-1 (RFC 3711 §4.1.1, §4.2.1). RTP: header, encrypted payload, MKI, tag; RTCP: 8 bytes, the encrypted
 * rest, E flag and index, MKI, tag. The tag is over all before the MKI, and for RTP over the rollover counter, which is not sent.
 */
export class CounterCipher implements PacketCipher {
  readonly overhead: PacketCipher['overhead'];
  readonly mkiFromEnd: PacketCipher['mkiFromEnd'];
  readonly #rtp: KeyStream;
  readonly #rtcp: KeyStream;
  readonly #rtpHmac: HmacSha1;
  readonly #rtcpHmac: HmacSha1;
  readonly #mki: Uint8Array;
  readonly #rtpTag: number;
  readonly #rtcpTag: number;

  constructor(
    { rtpTagBytes, rtcpTagBytes }: SrtpSuite,
    { rtp, rtcp }: { readonly rtp: SessionKeys; readonly rtcp: SessionKeys },
    mki: Uint8Array = NO_BYTES,
  ) {
    this.#rtp = new KeyStream(rtp.encryption, rtp.salt);
    this.#rtcp = new KeyStream(rtcp.encryption, rtcp.salt);
    this.#rtpHmac = new HmacSha1(rtp.authentication);
    this.#rtcpHmac = new HmacSha1(rtcp.authentication);
    this.#mki = mki;
    this.#rtpTag = rtpTagBytes;
    this.#rtcpTag = rtcpTagBytes;
    this.overhead = { rtp: rtpTagBytes + mki.length, rtcp: rtcpTagBytes + mki.length + INDEX_BYTES };
    this.mkiFromEnd = { rtp: rtpTagBytes + mki.length, rtcp: rtcpTagBytes + mki.length };
  }

  sealRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.overhead.rtp);
    sealed.set(packet);
    this.#rtp.apply(sealed, clear, length, ssrc, index);
    sealed.set(this.#mki, length);
    const tag = this.#rtpHmac.digest(sealed, length, Math.floor(index / SEQUENCES));
    sealed.set(tag.subarray(0, this.#rtpTag), length + this.#mki.length);
    return sealed;
  }

  openRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array | undefined {
    const length = packet.length - this.overhead.rtp;
    const tag = this.#rtpHmac.digest(packet, length, Math.floor(index / SEQUENCES));
    if (!isTag(packet, tag, this.#rtpTag)) return undefined;
    const opened = Buffer.from(packet.subarray(0, length));
    this.#rtp.apply(opened, clear, length, ssrc, index);
    return opened;
  }

  sealRtcp(packet: Uint8Array, ssrc: number, index: number): Uint8Array {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.overhead.rtcp);
    sealed.set(packet);
    this.#rtcp.apply(sealed, RTCP_CLEAR, length, ssrc, index);
    setWord(sealed, length, ENCRYPTED | index);
    sealed.set(this.#mki, length + INDEX_BYTES);
    const tag = this.#rtcpHmac.digest(sealed, length + INDEX_BYTES);
    sealed.set(tag.subarray(0, this.#rtcpTag), length + INDEX_BYTES + this.#mki.length);
    return sealed;
  }

  openRtcp(packet: Uint8Array, ssrc: number): Uint8Array | undefined {
    const length = this.indexAt(packet.length);
    const tag = this.#rtcpHmac.digest(packet, length + INDEX_BYTES);
    if (!isTag(packet, tag, this.#rtcpTag)) return undefined;
    const flagged = word(packet, length);
    const opened = Buffer.from(packet.subarray(0, length));
    if (flagged >= ENCRYPTED) this.#rtcp.apply(opened, RTCP_CLEAR, length, ssrc, flagged - ENCRYPTED);
    return opened;
  }

  indexAt(length: number): number {
    return length - this.overhead.rtcp;
  }
}

/** Whether a packet ends in the first `bytes` bytes of the tag, in a time that does not tell where they differ. */
function isTag(packet: Uint8Array, tag: Uint8Array, bytes: number): boolean {
  return timingSafeEqual(packet.subarray(packet.length - bytes), tag.subarray(0, bytes));
}
