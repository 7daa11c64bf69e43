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
    if (!codec.perLine || !Array.isArray(typed)) return codec.put(putBytes(start, codec.prefix), typed);
    let pos = start;
    for (let i = 0; i < typed.length; i++) pos = codec.put(putBytes(pos, codec.prefix), typed[i]);
    return pos;
  }

  copy(): Field {
    return this;
  }
}

/** Text that was set: wire text, unfolded, without white space at its ends. */
export class TextField implements Field {
  typed: unknown = undefined;

  constructor(
    readonly knownCodec: AnyCodec | undefined,
    readonly name: string,
    readonly wire: string,
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
    return Scanner.of(decodeWire(this.wire));
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

/** A line of a received head: where its name and value stand. */
export class ReceivedField implements Field {
  typed: unknown = undefined;
  /** What the hash of the name points to; right for sure only when `#named`. */
  #codec: AnyCodec | undefined;
  #named: boolean;
  #wire: string | undefined = undefined;

  constructor(
    hash: number,
    readonly head: Head,
    readonly nameStart: number,
    readonly nameEnd: number,
    readonly start: number,
    readonly end: number,
    readonly folded: boolean,
  ) {
    this.#codec = codecByHash(hash);
    this.#named = this.#codec === undefined;
  }

  get isTyped(): boolean {
    return false;
  }

  get name(): string {
    return this.head.text.slice(this.nameStart, this.nameEnd);
  }

  get knownCodec(): AnyCodec | undefined {
    if (!this.#named) this.#compareName();
    return this.#codec;
  }

  get canonicalName(): string {
    return this.knownCodec?.name ?? this.name;
  }

  get lineCount(): number {
    return 1;
  }

  matches(codec: AnyCodec): boolean {
    return this.#codec === codec && (this.#named || this.#compareName());
  }

  /** Settles whether the codec that the hash points to is the right one. */
  #compareName(): boolean {
    const { bytes } = this.head;
    const { name, compact, prefix } = this.#codec as AnyCodec;
    const length = this.nameEnd - this.nameStart;
    this.#named = true;
    if (length === 1) {
      if (compact?.charCodeAt(0) === ((bytes[this.nameStart] as number) | 0x20)) return true;
    } else if (length === name.length && isSame(bytes, this.nameStart, prefix, 2, length)) return true;
    this.#codec = undefined;
    return false;
  }

  hasName(name: string): boolean {
    return sameName(this.name, name);
  }

  /** Reads the value where it stands, if nothing in it needs decoding. */
  scanner(): Scanner {
    const { head } = this;
    return head.ascii && !this.folded
      ? new Scanner(head.text, head.bytes, this.start, this.end)
      : Scanner.of(decodeWire(this.wire));
  }

  /** The value as wire text, unfolded, without white space at its ends. */
  get wire(): string {
    this.#wire ??= trim(unfold(this.head.text.slice(this.start, this.end)));
    return this.#wire;
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
  if (codec !== undefined) return putWire(putBytes(start, codec.prefix), wire);
  return putWire(putWire(putWire(putWire(start, '\r\n'), name), ': '), wire);
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
