import { skipBytes, TOKEN, trim } from './chars.js';
import { type Field, TextField, TypedField } from './field.js';
import { codecByHash } from './header/lookup.js';
import type { AnyCodec } from './header/registry.js';
import { inHeader, SipParseError } from './parse-error.js';
import { Scanner } from './scanner.js';
import { decodeWire, isAsciiText, unfold } from './wire-text.js';

/**
 * The header lines of a received message, as positions in its text. A message has a dozen lines of which half are read, so a line
 * becomes an object only when the headers are changed or read as text.
 */
export class ReceivedLines {
  readonly #text: string;
  readonly #bytes: Uint8Array;
  /** Two of each line: where the value stands, where it ends. */
  readonly #places: number[] = new Array<number>(PLACES);
  /** The codec of each line, undefined for a header that pbxkit does not know. */
  readonly #codecs: (AnyCodec | undefined)[] = new Array<AnyCodec | undefined>(LINES);
  /** At the first line of a header: the value of all its lines, once it is known. */
  readonly #values: unknown[] = new Array<unknown>(LINES);
  #count = 0;
  /** The line whose value was replaced: its text counts no more. */
  #replaced = -1;

  /**
   * @param text one character for each byte
   * @param bytes the same text
   */
  constructor(text: string, bytes: Uint8Array) {
    this.#text = text;
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Adds a line and gives back its codec.
   *
   * @param hash `nameHash` of its name
   * @param end where the CR behind the value stands
   */
  add(hash: number, nameStart: number, nameEnd: number, start: number, end: number): AnyCodec | undefined {
    const candidate = lookUp(hash);
    const codec =
      candidate !== undefined && isNamed(candidate, this.#bytes, nameStart, nameEnd) ? candidate : undefined;
    const line = this.#count++;
    this.#codecs[line] = codec;
    this.#places[2 * line] = start;
    this.#places[2 * line + 1] = end;
    return codec;
  }

  /** Where a line begins that takes more than `bytes`, its folds counted; -1 when there is none. `from`: where the first line begins. */
  longerThan(bytes: number, from: number): number {
    let start = from;
    for (let line = 0; line < this.#count; line++) {
      const end = (this.#places[2 * line + 1] as number) + 2;
      if (end - 2 - start > bytes) return start;
      start = end;
    }
    return -1;
  }

  /** The typed value of a header, parsed on first use; undefined when it is absent. @throws SipParseError */
  get(codec: AnyCodec): unknown {
    const codecs = this.#codecs;
    const count = this.#count;
    for (let line = 0; line < count; line++) {
      if (codecs[line] !== codec) continue;
      const known = this.#values[line];
      return known === undefined ? this.#readAll(codec, line) : known;
    }
    return undefined;
  }

  #readAll(codec: AnyCodec, first: number): unknown {
    const codecs = this.#codecs;
    const count = this.#count;
    try {
      let value = this.#read(codec, first);
      for (let line = first + 1; line < count; line++) {
        if (codecs[line] !== codec) continue;
        if (codec.merge === undefined) throw new SipParseError('the header stands more than once');
        value = codec.merge(value, this.#read(codec, line));
      }
      this.#values[first] = value;
      return value;
    } catch (error) {
      throw inHeader(codec.name, error);
    }
  }

  #read(codec: AnyCodec, line: number): unknown {
    const start = this.#places[2 * line] as number;
    const end = this.#places[2 * line + 1] as number;
    const value = codec.plain?.(this.#text, this.#bytes, start, end);
    return value === undefined ? codec.read(this.#scanner(start, end)) : value;
  }

  /** Reads the value where it stands, if nothing in it needs decoding. */
  #scanner(start: number, end: number): Scanner {
    const bytes = this.#bytes;
    let folded = false;
    for (let pos = start; pos < end; pos++) {
      const code = bytes[pos] as number;
      if (code === 0x0a) folded = true;
      else if (code > 0x7f) return Scanner.of(decodeWire(this.#wire(start, end)));
    }
    return folded ? Scanner.of(this.#wire(start, end)) : new Scanner(this.#text, bytes, start, end);
  }

  /** The value as wire text, unfolded, without white space at its ends. */
  #wire(start: number, end: number): string {
    return trim(unfold(this.#text.slice(start, end)));
  }

  /** How many lines a header has. */
  countOf(codec: AnyCodec): number {
    let count = 0;
    for (let line = 0; line < this.#count; line++) if (this.#codecs[line] === codec) count++;
    return count;
  }

  /**
   * Puts one value in the place of a header that has one line with one value, which `put` writes.
   * False: it has none or more, and stays as it is.
   */
  replaceOnly(codec: AnyCodec, value: unknown): boolean {
    const line = this.#codecs.indexOf(codec);
    if (this.countOf(codec) !== 1 || (this.get(codec) as readonly unknown[]).length !== 1) return false;
    this.#values[line] = [value];
    this.#replaced = line;
    return true;
  }

  /** The lines of one header as objects of their own, in order, as `TextField.copy` makes them. */
  copies(codec: AnyCodec): Field[] {
    const copies: Field[] = [];
    for (let line = 0; line < this.#count; line++)
      if (this.#codecs[line] === codec) copies.push(this.#field(line, false));
    return copies;
  }

  /** Every line as an object, with the values that are known. */
  fields(): Field[] {
    return Array.from({ length: this.#count }, (_, line) => this.#field(line, true));
  }

  #field(line: number, isKept: boolean): Field {
    const codec = this.#codecs[line];
    if (line === this.#replaced) return new TypedField(codec as AnyCodec, this.#values[line]);
    const start = this.#places[2 * line] as number;
    const text = this.#text.slice(start, this.#places[2 * line + 1] as number);
    const isStray = isKept && text.includes('\r') && !text.includes('\n') && isAsciiText(text);
    const field = new TextField(
      codec,
      codec?.name ?? this.#nameOf(start),
      trim(unfold(text)),
      isStray ? text : undefined,
    );
    field.typed = this.#values[line];
    return field;
  }

  /** The name before a value that begins there. */
  #nameOf(start: number): string {
    const nameStart = this.#text.lastIndexOf('\n', start) + 1;
    return this.#text.slice(nameStart, skipBytes(this.#bytes, nameStart, start, TOKEN));
  }
}

// A constant of this module, because the compiler folds no constant of another one.
const lookUp = codecByHash;

// How many lines there is room for at first; more are no fault.
const LINES = 16;
const PLACES = 2 * LINES;

/** Equality without regard to the case of letters. Names that pbxkit knows hold letters and hyphens, and a hyphen has no second case among token characters. */
function isNamed(codec: AnyCodec, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  const { compact, lowerName } = codec;
  if (length === 1) return compact !== undefined && compact.charCodeAt(0) === ((bytes[start] as number) | 0x20);
  if (length !== lowerName.length) return false;
  for (let i = 0; i < length; i++) if (((bytes[start + i] as number) | 0x20) !== lowerName[i]) return false;
  return true;
}
