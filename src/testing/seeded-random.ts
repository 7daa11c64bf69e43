import { type Random, toHex } from '../base/random.js';

/**
 * Repeatable randomness: the small fast counter generator sfc32 (C. Doty-Humphrey, PractRand), seeded from a number or
 * a text. The same seed gives the same numbers on every machine. Never for real keys.
 */
export class SeededRandom implements Random {
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number | string) {
    this.seed = String(seed);
    this.#a = hash(this.seed, 0x9e3779b9);
    this.#b = hash(this.seed, 0x85ebca6b);
    this.#c = hash(this.seed, 0xc2b2ae35);
    for (let i = 0; i < 16; i++) this.next();
  }

  /** The next 32 bits, as a whole number from 0 to 2³² − 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 up to, but without, 1; 53 random bits. */
  fraction(): number {
    return ((this.next() >>> 5) * 0x4000000 + (this.next() >>> 6)) / 0x20000000000000;
  }

  /** True with the given probability (0…1). Draws even when the answer is sure, so that streams stay in step. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Evenly from `low` up to, but without, `high`. */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  integer(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.next() >>> 24;
    return bytes;
  }

  token(bits = 96): string {
    return toHex(this.bytes(Math.ceil(bits / 8)));
  }

  /**
   * An independent stream that depends on the seed and `name` alone, not on what was drawn before: one more draw in
   * one part of a test leaves the others as they were.
   */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${name}`);
  }
}

/** FNV-1a over UTF-16 units from a varying basis, with murmur3's finalizer. */
function hash(text: string, basis: number): number {
  let value = basis | 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    value = Math.imul(value ^ (unit & 0xff), 0x01000193);
    value = Math.imul(value ^ (unit >>> 8), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
