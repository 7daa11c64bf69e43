import { type ByteWriter, written } from './byte-writer.js';
import { trim } from './chars.js';
import { nameHash } from './header/codec.js';
import { type AnyCodec, codecByHash, codecOf } from './header/registry.js';
import { sameName } from './params.js';
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
  /** Known once looked up; see `matches`. */
  codec: AnyCodec | undefined = undefined;
  /** Line of text: the kept value of *all* lines of this name, if this is the first of them. Typed line: the value itself. */
  typed: unknown = undefined;
  /** The wire text of the value once it was asked for. */
  text: string | undefined = undefined;

  /** @param head undefined for a line that was set: then `setName` is its name. */
  constructor(
    readonly hash: number,
    readonly head: Head | undefined,
    readonly nameStart: number,
    readonly nameEnd: number,
    readonly start: number,
    readonly end: number,
    readonly folded: boolean,
    readonly setName: string | undefined,
    /** True: `typed` is the value and there is no text. */
    readonly isTyped: boolean,
  ) {}

  /** A line from a name and wire text. */
  static raw(name: string, wire: string): Field {
    const field = new Field(nameHash(name), undefined, 0, 0, 0, 0, false, name, false);
    field.codec = codecOf(name);
    field.text = wire;
    return field;
  }

  static typed(codec: AnyCodec, value: unknown): Field {
    const field = new Field(codec.hash, undefined, 0, 0, 0, 0, false, codec.name, true);
    field.codec = codec;
    field.typed = value;
    return field;
  }

  /** A copy; the kept value goes along if `withValue`. */
  copy(withValue: boolean): Field {
    const { hash, head, nameStart, nameEnd, start, end, folded, setName, isTyped } = this;
    const copy = new Field(hash, head, nameStart, nameEnd, start, end, folded, setName, isTyped);
    copy.codec = this.codec;
    copy.text = this.text;
    if (withValue || isTyped) copy.typed = this.typed;
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
    return this.setName ?? (this.head as Head).text.slice(this.nameStart, this.nameEnd);
  }

  /** Canonical name if pbxkit knows the header, else as it stands. */
  get canonicalName(): string {
    return this.knownCodec?.name ?? this.name;
  }

  /** The codec of the header, undefined for one that pbxkit does not know. */
  get knownCodec(): AnyCodec | undefined {
    if (this.codec === undefined) {
      const codec = codecByHash(this.hash);
      if (codec !== undefined) this.matches(codec);
    }
    return this.codec;
  }

  /** True when this line is of that header, in whatever spelling. */
  matches(codec: AnyCodec): boolean {
    if (this.codec !== undefined) return this.codec === codec;
    const { hash } = this;
    if (hash !== codec.hash && hash !== codec.compactHash) return false;
    if (!this.hasName(hash === codec.hash ? codec.name : (codec.compact ?? ''))) return false;
    this.codec = codec;
    return true;
  }

  /** Equality of names without regard to case. */
  hasName(name: string): boolean {
    if (this.head === undefined) return sameName(this.name, name);
    const { bytes } = this.head;
    const { length } = name;
    if (this.nameEnd - this.nameStart !== length) return false;
    for (let i = 0; i < length; i++) {
      const byte = bytes[this.nameStart + i] as number;
      const code = name.charCodeAt(i);
      if (byte !== code && (((byte ^ code) & 0xdf) !== 0 || !isLetter(code))) return false;
    }
    return true;
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
    return values.map((value) => written((writer) => codec.write(writer, value)));
  }

  /** Writes CRLF, name, colon and value, once for each line. */
  write(writer: ByteWriter): void {
    if (!this.isTyped) this.#writeText(writer);
    else {
      const codec = this.codec as AnyCodec;
      const value = this.typed;
      if (codec.perLine && Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) {
          writer.bytes(codec.prefix);
          codec.write(writer, value[i]);
        }
      } else {
        writer.bytes(codec.prefix);
        codec.write(writer, value);
      }
    }
  }

  #writeText(writer: ByteWriter): void {
    const codec = this.knownCodec;
    if (codec === undefined) {
      writer.code(0x0d);
      writer.code(0x0a);
      writer.wire(this.name);
      writer.code(0x3a);
      writer.code(0x20);
    } else writer.bytes(codec.prefix);
    writer.wire(this.wire);
  }
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
