import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for short texts: two one-shot hashes cost less than half of an Hmac object, and a registrar makes
 * several for each REGISTER.
 */
export class HmacSha256 {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    this.#inner = Buffer.alloc(BLOCK_BYTES, INNER_PAD);
    this.#outer = Buffer.alloc(BLOCK_BYTES, OUTER_PAD);
    for (let i = 0; i < short.length; i++) {
      const byte = short[i] as number;
      this.#inner[i] = byte ^ INNER_PAD;
      this.#outer[i] = byte ^ OUTER_PAD;
    }
  }

  /** 32 bytes; of `text` in UTF-8 and of `more` behind it. */
  digest(text: string, more: Uint8Array = NO_BYTES): Buffer {
    const inner = hash('sha256', Buffer.concat([this.#inner, Buffer.from(text), more]), 'buffer');
    return hash('sha256', Buffer.concat([this.#outer, inner]), 'buffer');
  }
}

const NO_BYTES = new Uint8Array(0);
