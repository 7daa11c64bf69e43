import { hash } from 'node:crypto';
import { setWord } from '../rtp/words.js';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 20;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * HMAC-SHA-1 (RFC 2104) under one key of at most 64 bytes, for every packet: two one-shot hashes over buffers that are kept cost a third
 * of an Hmac object, and a hash as a string of bytes half of one as a buffer.
 */
export class HmacSha1 {
  /** The padded key, then the message. */
  #inner: Uint8Array;
  readonly #outer = new Uint8Array(BLOCK_BYTES + DIGEST_BYTES);
  readonly #digest = new Uint8Array(DIGEST_BYTES);

  constructor(key: Uint8Array) {
    this.#inner = new Uint8Array(2048);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const byte = key[i] ?? 0;
      this.#inner[i] = byte ^ INNER_PAD;
      this.#outer[i] = byte ^ OUTER_PAD;
    }
  }

  /**
   * 20 bytes, which the next call writes over: of the first `length` bytes of the message, with the word `last` in network byte order behind
   * them if there is one.
   */
  digest(message: Uint8Array, length: number, last?: number): Uint8Array {
    let end = BLOCK_BYTES + length;
    if (end + 4 > this.#inner.length) this.#grow(end + 4);
    this.#inner.set(message.subarray(0, length), BLOCK_BYTES);
    if (last !== undefined) {
      setWord(this.#inner, end, last);
      end += 4;
    }
    putBytes(hash('sha1', this.#inner.subarray(0, end), 'binary'), this.#outer, BLOCK_BYTES);
    putBytes(hash('sha1', this.#outer, 'binary'), this.#digest, 0);
    return this.#digest;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(2 * length);
    larger.set(this.#inner.subarray(0, BLOCK_BYTES));
    this.#inner = larger;
  }
}

function putBytes(text: string, out: Uint8Array, at: number): void {
  for (let i = 0; i < DIGEST_BYTES; i++) out[at + i] = text.charCodeAt(i);
}
