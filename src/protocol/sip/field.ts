import { trim } from './chars.js';
import { nameHash } from './header/codec.js';
import { type AnyCodec, codecByHash } from './header/registry.js';
import { sameName } from './params.js';
import { unfold } from './wire-text.js';

/**
 * One header line: where name and value stand in the text it came from, or a typed value that was set.
 * An internal part of `SipHeaders`; treat as immutable but for the caches.
 */
export class Field {
  /** Known once looked up; see `matches`. */
  codec: AnyCodec | undefined;
  /** Raw field: the cached value of *all* lines of this name, if this is the first of them. Typed field: the value itself. */
  typed: unknown;
  #wire: string | undefined;

  constructor(
    readonly hash: number,
    /** Wire text that holds the name, and the value of a raw field. */
    readonly source: string,
    readonly nameStart: number,
    readonly nameEnd: number,
    readonly start: number,
    readonly end: number,
    /** True: `typed` is the value and there is no text. */
    readonly isTyped: boolean,
  ) {
    this.codec = undefined;
    this.typed = undefined;
    this.#wire = undefined;
  }

  /** A line from a name and wire text. */
  static raw(name: string, wire: string): Field {
    const field = new Field(nameHash(name), name, 0, name.length, 0, 0, false);
    field.#wire = wire;
    return field;
  }

  static typed(codec: AnyCodec, value: unknown): Field {
    const field = new Field(codec.hash, codec.name, 0, codec.name.length, 0, 0, true);
    field.codec = codec;
    field.typed = value;
    return field;
  }

  /** A copy without the cache. */
  copy(): Field {
    const copy = new Field(this.hash, this.source, this.nameStart, this.nameEnd, this.start, this.end, this.isTyped);
    copy.codec = this.codec;
    copy.#wire = this.#wire;
    if (this.isTyped) copy.typed = this.typed;
    return copy;
  }

  /** The value of a raw field as wire text, unfolded, without white space at its ends. */
  get wire(): string {
    if (this.#wire === undefined) {
      const text = this.source.slice(this.start, this.end);
      this.#wire = trim(text.includes('\r') ? unfold(text) : text);
    }
    return this.#wire;
  }

  /** The name as it stands. */
  get name(): string {
    return this.source.slice(this.nameStart, this.nameEnd);
  }

  /** Canonical name if pbxkit knows the header, else as it stands. */
  get canonicalName(): string {
    if (this.codec === undefined) {
      const codec = codecByHash(this.hash);
      if (codec !== undefined) this.matches(codec);
    }
    return this.codec?.name ?? this.name;
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
    const length = this.nameEnd - this.nameStart;
    return length === name.length && (this.source.startsWith(name, this.nameStart) || sameName(this.name, name));
  }

  /** How many lines this field takes. */
  get lineCount(): number {
    return this.isTyped && this.codec?.perLine === true && Array.isArray(this.typed) ? this.typed.length : 1;
  }

  /** The values as they are written, one for each line. A typed field gives ordinary text, a raw one wire text. */
  lines(): readonly string[] {
    if (!this.isTyped) return [this.wire];
    const codec = this.codec as AnyCodec;
    if (codec.perLine && Array.isArray(this.typed)) return this.typed.map((element) => codec.format(element));
    return [codec.format(this.typed)];
  }
}
