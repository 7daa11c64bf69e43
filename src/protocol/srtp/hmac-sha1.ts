import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 20;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * HMAC-SHA-1 (RFC 2104) under one key of at most 64 bytes: two one-shot hashes over buffers that are kept cost less than half of an Hmac
 * object, and there is one for every packet.
 */
export class HmacSha1 {
  /** The padded key, then the message. */
  #inner: Uint8Array;
  readonly #outer = new Uint8Array(BLOCK_BYTES + DIGEST_BYTES);

  constructor(key: Uint8Array) {
    this.#inner = new Uint8Array(2048);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const byte = key[i] ?? 0;
      this.#inner[i] = byte ^ INNER_PAD;
      this.#outer[i] = byte ^ OUTER_PAD;
    }
  }

  /** 20 bytes, over the first `length` bytes of the message, and over `word` behind them in network byte order if there is one. */
  digest(message: Uint8Array, length: number, word?: number): Uint8Array {
    let end = BLOCK_BYTES + length;
    if (end + 4 > this.#inner.length) this.#grow(end + 4);
    this.#inner.set(message.subarray(0, length), BLOCK_BYTES);
    if (word !== undefined) {
      this.#inner[end] = word >>> 24;
      this.#inner[end + 1] = word >>> 16;
      this.#inner[end + 2] = word >>> 8;
      this.#inner[end + 3] = word;
      end += 4;
    }
    this.#outer.set(hash('sha1', this.#inner.subarray(0, end), 'buffer'), BLOCK_BYTES);
    return hash('sha1', this.#outer, 'buffer');
  }

  #grow(length: number): void {
    const larger = new Uint8Array(2 * length);
    larger.set(this.#inner.subarray(0, BLOCK_BYTES));
    this.#inner = larger;
  }
}
