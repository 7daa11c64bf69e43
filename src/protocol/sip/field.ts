import type { AnyCodec } from './header/registry.js';
import { sameName } from './params.js';
import { putLiteral, putWire, written } from './put.js';
import { Scanner } from './scanner.js';
import { decodeWire } from './wire-text.js';

/** One header line of a message (a typed value may take several), an internal part of `SipHeaders`. */
export interface Field {
  /** The value of *all* lines of this name, kept at the first of them once it is known; in a `TypedField` what was set. */
  typed: unknown;
  /** True: `typed` was set, and there is no text. */
  readonly isTyped: boolean;
  /** The codec of the header, undefined for one that pbxkit does not know. */
  readonly knownCodec: AnyCodec | undefined;
  /** Canonical name if pbxkit knows the header, else as it stands. */
  readonly canonicalName: string;
  /** How many lines this field takes. */
  readonly lineCount: number;
  /** True when this line is of that header, in whatever spelling. */
  matches(codec: AnyCodec): boolean;
  /** True when the name is this one, without regard to case. */
  hasName(name: string): boolean;
  /** A scanner over the value of a line of text. */
  scanner(): Scanner;
  /** The values as they are written, one for each line. A typed field gives ordinary text, another one wire text. */
  lines(): readonly string[];
  /** Writes CRLF, name, colon and value, once for each line. */
  put(start: number): number;
  /** A copy with the kept value. */
  copy(): Field;
}

/** A typed value that was set. */
export class TypedField implements Field {
  /** @param knownCodec what writes `typed` */
  constructor(
    readonly knownCodec: AnyCodec,
    readonly typed: unknown,
  ) {}

  get isTyped(): boolean {
    return true;
  }

  get canonicalName(): string {
    return this.knownCodec.name;
  }

  get lineCount(): number {
    return this.knownCodec.perLine && Array.isArray(this.typed) ? this.typed.length : 1;
  }

  matches(codec: AnyCodec): boolean {
    return this.knownCodec === codec;
  }

  hasName(name: string): boolean {
    return sameName(this.knownCodec.name, name);
  }

  scanner(): Scanner {
    return Scanner.of(this.lines()[0] ?? '');
  }

  lines(): readonly string[] {
    const { knownCodec: codec, typed } = this;
    const values: readonly unknown[] = codec.perLine && Array.isArray(typed) ? typed : [typed];
    return values.map((value) => written(codec.put, value));
  }

  put(start: number): number {
    const { knownCodec: codec, typed } = this;
    if (!codec.perLine || !Array.isArray(typed)) return codec.put(putLiteral(start, codec.prefix), typed);
    let pos = start;
    for (let i = 0; i < typed.length; i++) pos = codec.put(putLiteral(pos, codec.prefix), typed[i]);
    return pos;
  }

  copy(): Field {
    return this;
  }
}

/** Text that came in or was set: wire text, unfolded, without white space at its ends. */
export class TextField implements Field {
  typed: unknown = undefined;

  constructor(
    readonly knownCodec: AnyCodec | undefined,
    readonly name: string,
    readonly wire: string,
    /** The value as it stood, if a CR in it belongs to no fold: white space in text, an error in a typed value. */
    readonly stray?: string,
  ) {}

  get isTyped(): boolean {
    return false;
  }

  get canonicalName(): string {
    return this.knownCodec?.name ?? this.name;
  }

  get lineCount(): number {
    return 1;
  }

  matches(codec: AnyCodec): boolean {
    return this.knownCodec === codec;
  }

  hasName(name: string): boolean {
    return sameName(this.name, name);
  }

  scanner(): Scanner {
    return Scanner.of(this.stray ?? decodeWire(this.wire));
  }

  lines(): readonly string[] {
    return [this.wire];
  }

  put(start: number): number {
    return putLine(start, this.knownCodec, this.name, this.wire);
  }

  copy(): Field {
    const copy = new TextField(this.knownCodec, this.name, this.wire);
    copy.typed = this.typed;
    return copy;
  }
}

function putLine(start: number, codec: AnyCodec | undefined, name: string, wire: string): number {
  if (codec !== undefined) return putWire(putLiteral(start, codec.prefix), wire);
  return putWire(putWire(putWire(putWire(start, '\r\n'), name), ': '), wire);
}
