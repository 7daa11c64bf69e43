/**
 * What the ng protocol is written in: whole numbers, texts, lists and dictionaries. A dictionary is a Map, so that no name that
 * a peer chooses can mean anything to JavaScript.
 */
export type Bencoded = number | string | readonly Bencoded[] | BencodedDictionary;

export type BencodedDictionary = ReadonlyMap<string, Bencoded>;

/** Deeper than this nothing is read: rtpengine's deepest answer has nine levels. */
const DEEPEST = 32;

/** More values than this are not read: an answer that fills a datagram has some ten thousand. */
const MOST_VALUES = 65_536;

/** The longest number that is looked at: 16 digits hold every safe one. */
const LONGEST_NUMBER = 16;

const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const LETTER_D = 0x64;
const LETTER_E = 0x65;
const LETTER_I = 0x69;
const LETTER_L = 0x6c;

/** The bytes of a value; numbers must be whole. Dictionaries keep the order of their keys, which rtpengine does not care for. */
export function encodeBencode(value: Bencoded): Buffer {
  return Buffer.from(print(value), 'utf8');
}

function print(value: Bencoded): string {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (isList(value)) return `l${value.map(print).join('')}e`;
  return `d${[...value].map(([key, each]) => print(key) + print(each)).join('')}e`;
}

function isList(value: readonly Bencoded[] | BencodedDictionary): value is readonly Bencoded[] {
  return Array.isArray(value);
}

/**
 * Reads exactly one value. Undefined for anything else: bytes left over, a number with leading zeros or beyond 2⁵³, a
 * dictionary that has a key twice, too much nesting. Keys need not be sorted, because rtpengine's are not.
 */
export function decodeBencode(bytes: Uint8Array): Bencoded | undefined {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  return value !== undefined && reader.atEnd ? value : undefined;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): Bencoded | undefined {
    if (depth > DEEPEST || ++this.#values > MOST_VALUES) return undefined;
    switch (this.#bytes[this.#at]) {
      case LETTER_I:
        this.#at++;
        return this.#number(LETTER_E);
      case LETTER_L:
        this.#at++;
        return this.#list(depth);
      case LETTER_D:
        this.#at++;
        return this.#dictionary(depth);
      default:
        return this.#text();
    }
  }

  #list(depth: number): Bencoded | undefined {
    const list: Bencoded[] = [];
    while (!this.#skip(LETTER_E)) {
      const each = this.value(depth + 1);
      if (each === undefined) return undefined;
      list.push(each);
    }
    return list;
  }

  #dictionary(depth: number): Bencoded | undefined {
    const dictionary = new Map<string, Bencoded>();
    while (!this.#skip(LETTER_E)) {
      const key = this.#text();
      const each = key === undefined || dictionary.has(key) ? undefined : this.value(depth + 1);
      if (key === undefined || each === undefined) return undefined;
      dictionary.set(key, each);
    }
    return dictionary;
  }

  #text(): string | undefined {
    if (this.#bytes[this.#at] === MINUS) return undefined;
    const length = this.#number(COLON);
    if (length === undefined || length > this.#bytes.length - this.#at) return undefined;
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** A number up to and with its end mark. */
  #number(end: number): number | undefined {
    const stop = this.#bytes.indexOf(end, this.#at);
    const negative = this.#bytes[this.#at] === MINUS;
    const first = negative ? this.#at + 1 : this.#at;
    const digits = stop - first;
    if (stop < 0 || digits < 1 || digits > LONGEST_NUMBER) return undefined;
    if (this.#bytes[first] === ZERO && (digits > 1 || negative)) return undefined;
    let value = 0;
    for (let i = first; i < stop; i++) {
      const digit = (this.#bytes[i] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    if (!Number.isSafeInteger(value)) return undefined;
    this.#at = stop + 1;
    return negative ? -value : value;
  }

  #skip(letter: number): boolean {
    if (this.#bytes[this.#at] !== letter) return false;
    this.#at++;
    return true;
  }
}
