import { randomBytes, randomInt } from 'node:crypto';

/** Where randomness comes from: the system's generator, or a seeded one in tests. */
export interface Random {
  bytes(count: number): Uint8Array;
  /** A whole number from 0 to `below` − 1. */
  integer(below: number): number;
  /** A fresh identifier of `bits` random bits (default 96) in lower-case hexadecimal: a SIP token, safe in tags, branches and Call-IDs. */
  token(bits?: number): string;
}

const POOL_BYTES = 4096;
/** Keys and what else is as long come fresh from the system. */
const LARGEST_DRAWN = 16;

/** Cryptographic randomness of the operating system. */
export class SystemRandom implements Random {
  #pool = new Uint8Array(0);
  #used = 0;

  bytes(count: number): Uint8Array {
    return count > LARGEST_DRAWN ? randomBytes(count) : new Uint8Array(this.#draw(count));
  }

  integer(below: number): number {
    return randomInt(below);
  }

  /** Drawn from a pool, because a system call for each tag and branch would cost more than the message. */
  token(bits = 96): string {
    const bytes = this.#draw(Math.ceil(bits / 8));
    return toHex(bytes);
  }

  /** The next bytes of the pool: no two calls get the same. */
  #draw(count: number): Uint8Array {
    if (this.#used + count > this.#pool.length) {
      this.#pool = randomBytes(Math.max(POOL_BYTES, count));
      this.#used = 0;
    }
    const bytes = this.#pool.subarray(this.#used, this.#used + count);
    this.#used += count;
    return bytes;
  }
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
