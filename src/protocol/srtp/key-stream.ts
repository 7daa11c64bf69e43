import { type Cipher, createCipheriv } from 'node:crypto';

const BLOCK_BYTES = 16;
const WORDS_PER_BLOCK = 4;
/** Enough for G.711 at 60 ms; more is made when it is needed. */
const FIRST_BLOCKS = 32;

/**
 * The key stream of AES in counter mode (RFC 3711 §4.1.1). The counter blocks of a packet are encrypted in one call by a cipher object that
 * is kept: a new object in counter mode for each packet costs several times as much.
 */
export class KeyStream {
  /** Electronic code book is what counter mode is made of; on its own it would hide nothing. */
  readonly #cipher: Cipher;
  readonly #start = new Uint8Array(BLOCK_BYTES);
  readonly #startWords = new Uint32Array(this.#start.buffer);
  readonly #salt: Uint8Array;
  #blocks = new Uint8Array(0);
  #blockWords = new Uint32Array(0);

  constructor(key: Uint8Array, salt: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    this.#salt = salt;
    this.#makeRoom(FIRST_BLOCKS);
  }

  /** Encrypts or decrypts the bytes from `from` up to `to` in place, for a packet of that source and index (below 2⁴⁸). */
  apply(data: Uint8Array, from: number, to: number, ssrc: number, index: number): void {
    if (to <= from) return;
    const count = Math.ceil((to - from) / BLOCK_BYTES);
    if (count * BLOCK_BYTES > this.#blocks.length) this.#makeRoom(count);
    this.#begin(ssrc, index);
    const stream = this.#cipher.update(this.#countersOf(count));
    for (let at = from, i = 0; at < to; at++, i++) data[at] = (data[at] as number) ^ (stream[i] as number);
  }

  /** IV = (salt · 2¹⁶) XOR (SSRC · 2⁶⁴) XOR (index · 2¹⁶). */
  #begin(ssrc: number, index: number): void {
    const start = this.#start;
    start.set(this.#salt);
    const high = Math.floor(index / 0x100000000);
    start[4] = (start[4] as number) ^ (ssrc >>> 24);
    start[5] = (start[5] as number) ^ (ssrc >>> 16);
    start[6] = (start[6] as number) ^ (ssrc >>> 8);
    start[7] = (start[7] as number) ^ ssrc;
    start[8] = (start[8] as number) ^ (high >>> 8);
    start[9] = (start[9] as number) ^ high;
    start[10] = (start[10] as number) ^ (index >>> 24);
    start[11] = (start[11] as number) ^ (index >>> 16);
    start[12] = (start[12] as number) ^ (index >>> 8);
    start[13] = (start[13] as number) ^ index;
  }

  /** The blocks begin alike and end in a count that never changes; words are copied whole, so that their byte order does not matter. */
  #countersOf(count: number): Uint8Array {
    const blocks = this.#blocks;
    const words = this.#blockWords;
    const first = this.#startWords[0] as number;
    const second = this.#startWords[1] as number;
    const third = this.#startWords[2] as number;
    for (let i = 0; i < count; i++) {
      words[WORDS_PER_BLOCK * i] = first;
      words[WORDS_PER_BLOCK * i + 1] = second;
      words[WORDS_PER_BLOCK * i + 2] = third;
      blocks[BLOCK_BYTES * i + 12] = this.#start[12] as number;
      blocks[BLOCK_BYTES * i + 13] = this.#start[13] as number;
    }
    return blocks.subarray(0, count * BLOCK_BYTES);
  }

  #makeRoom(count: number): void {
    this.#blocks = new Uint8Array(count * BLOCK_BYTES);
    this.#blockWords = new Uint32Array(this.#blocks.buffer);
    for (let i = 0; i < count; i++) {
      this.#blocks[BLOCK_BYTES * i + 14] = i >>> 8;
      this.#blocks[BLOCK_BYTES * i + 15] = i;
    }
  }
}
