import { trim } from './chars.js';
import { type AnyCodec, codecByHash } from './header/registry.js';
import { sameName } from './params.js';
import { putBytes, putWire, written } from './put.js';
import { Scanner } from './scanner.js';
import { decodeWire, unfold } from './wire-text.js';

/** The head of a received message: one character per byte, and the bytes. */
export interface Head {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** True when no byte is above 127. */
  readonly ascii: boolean;
}

/**
 * One header line: where name and value stand in a received head, or text that was set, or a typed value that was set.
 * An internal part of `SipHeaders`.
 */
export class Field {
  /** Line of text: the kept value of *all* lines of this name, if this is the first of them. Typed line: the value itself. */
  typed: unknown = undefined;
  /** The wire text of the value once it was asked for. */
  text: string | undefined = undefined;

  /**
   * @param codec what the hash of the name points to; right for sure only when `named`
   * @param head undefined for a line that was set: then `setName` is its name
   * @param isTyped true: `typed` is the value and there is no text
   */
  constructor(
    private codec: AnyCodec | undefined,
    private named: boolean,
    readonly head: Head | undefined,
    readonly nameStart: number,
    readonly nameEnd: number,
    readonly start: number,
    readonly end: number,
    readonly folded: boolean,
    readonly setName: string,
    readonly isTyped: boolean,
  ) {}

  /** A line of a received head. */
  static received(
    hash: number,
    head: Head,
    nameStart: number,
    nameEnd: number,
    start: number,
    end: number,
    folded: boolean,
  ): Field {
    const codec = codecByHash(hash);
    return new Field(codec, codec === undefined, head, nameStart, nameEnd, start, end, folded, '', false);
  }

  /** A line from a name and wire text. */
  static raw(codec: AnyCodec | undefined, name: string, wire: string): Field {
    const field = new Field(codec, true, undefined, 0, 0, 0, 0, false, codec?.name ?? name, false);
    field.text = wire;
    return field;
  }

  static typed(codec: AnyCodec, value: unknown): Field {
    const field = new Field(codec, true, undefined, 0, 0, 0, 0, false, codec.name, true);
    field.typed = value;
    return field;
  }

  /** A copy with the kept value. */
  copy(): Field {
    const { codec, named, head, nameStart, nameEnd, start, end, folded, setName, isTyped } = this;
    const copy = new Field(codec, named, head, nameStart, nameEnd, start, end, folded, setName, isTyped);
    copy.text = this.text;
    copy.typed = this.typed;
    return copy;
  }

  /** The value of a line of text as wire text, unfolded, without white space at its ends. */
  get wire(): string {
    this.text ??= trim(unfold((this.head as Head).text.slice(this.start, this.end)));
    return this.text;
  }

  /** A scanner over the value of a line of text: where it stands, if nothing in it needs decoding. */
  scanner(): Scanner {
    const { head } = this;
    return head?.ascii === true && !this.folded
      ? new Scanner(head.text, head.bytes, this.start, this.end)
      : Scanner.of(decodeWire(this.wire));
  }

  /** The name as it stands. */
  get name(): string {
    return this.head === undefined ? this.setName : this.head.text.slice(this.nameStart, this.nameEnd);
  }

  /** Canonical name if pbxkit knows the header, else as it stands. */
  get canonicalName(): string {
    return this.knownCodec?.name ?? this.name;
  }

  /** The codec of the header, undefined for one that pbxkit does not know. */
  get knownCodec(): AnyCodec | undefined {
    if (!this.named) this.#compareName();
    return this.codec;
  }

  /** True when this line is of that header, in whatever spelling. */
  matches(codec: AnyCodec): boolean {
    return this.codec === codec && (this.named || this.#compareName());
  }

  /** Settles whether the codec that the hash points to is the right one. */
  #compareName(): boolean {
    const { bytes } = this.head as Head;
    const { name, compact, prefix } = this.codec as AnyCodec;
    const length = this.nameEnd - this.nameStart;
    this.named = true;
    if (length === 1) {
      if (compact?.charCodeAt(0) === ((bytes[this.nameStart] as number) | 0x20)) return true;
    } else if (length === name.length && isSame(bytes, this.nameStart, prefix, 2, length)) return true;
    this.codec = undefined;
    return false;
  }

  /** True when the name is this one, without regard to case. */
  hasName(name: string): boolean {
    return sameName(this.name, name);
  }

  /** How many lines this field takes. */
  get lineCount(): number {
    return this.isTyped && this.codec?.perLine === true && Array.isArray(this.typed) ? this.typed.length : 1;
  }

  /** The values as they are written, one for each line. A typed line gives ordinary text, another one wire text. */
  lines(): readonly string[] {
    if (!this.isTyped) return [this.wire];
    const codec = this.codec as AnyCodec;
    const values: readonly unknown[] = codec.perLine && Array.isArray(this.typed) ? this.typed : [this.typed];
    return values.map((value) => written(codec.put, value));
  }

  /** Writes CRLF, name, colon and value, once for each line. */
  put(start: number): number {
    if (!this.isTyped) return this.#putText(start);
    const codec = this.codec as AnyCodec;
    const value = this.typed;
    if (!codec.perLine || !Array.isArray(value)) return codec.put(putBytes(start, codec.prefix), value);
    let pos = start;
    for (let i = 0; i < value.length; i++) pos = codec.put(putBytes(pos, codec.prefix), value[i]);
    return pos;
  }

  #putText(start: number): number {
    const codec = this.knownCodec;
    if (codec !== undefined) return putWire(putBytes(start, codec.prefix), this.wire);
    const nameEnd = putWire(putWire(start, '\r\n'), this.name);
    return putWire(putWire(nameEnd, ': '), this.wire);
  }
}

/** Equality of `length` bytes without regard to the case of letters. */
function isSame(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const left = a[aStart + i] as number;
    const right = b[bStart + i] as number;
    if (left !== right && ((left ^ right) !== 0x20 || !isLetter(left))) return false;
  }
  return true;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
