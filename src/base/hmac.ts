import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Longer texts are hashed in a buffer of their own. */
const LONGEST_SHARED = 512;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for short texts: two one-shot hashes cost less than half of an Hmac object, and a registrar makes
 * several for each REGISTER.
 */
export class HmacSha256 {
  /** The inner block and room for a text. */
  readonly #inner: Buffer;
  /** The outer block and room for the inner hash. */
  readonly #outer: Buffer;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    this.#inner = Buffer.alloc(BLOCK_BYTES + LONGEST_SHARED, INNER_PAD);
    this.#outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES, OUTER_PAD);
    for (let i = 0; i < short.length; i++) {
      const byte = short[i] as number;
      this.#inner[i] = byte ^ INNER_PAD;
      this.#outer[i] = byte ^ OUTER_PAD;
    }
  }

  /** In lower-case hexadecimal; of `text` in UTF-8 and of `more` behind it. */
  hex(text: string, more: Uint8Array = NO_BYTES): string {
    this.#outer.write(hash('sha256', this.#block(text, more), 'hex'), BLOCK_BYTES, 'hex');
    return hash('sha256', this.#outer, 'hex');
  }

  #block(text: string, more: Uint8Array): Buffer {
    const inner = this.#inner;
    // UTF-8 takes three bytes for a unit of UTF-16 at most.
    if (3 * text.length + more.length > LONGEST_SHARED)
      return Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(text), more]);
    const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES, 'utf8');
    inner.set(more, end);
    return inner.subarray(0, end + more.length);
  }
}

const NO_BYTES = new Uint8Array(0);
