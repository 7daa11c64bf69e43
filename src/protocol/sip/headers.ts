import { UsageError } from '../../base/errors.js';
import { isToken, trim } from './chars.js';
import { type Field, TextField, TypedField } from './field.js';
import { codecFor, codecOf } from './header/lookup.js';
import { type AnyCodec, CODECS, type HeaderName, type HeaderValues, type Via } from './header/registry.js';
import { formatVia } from './header/via.js';
import { inHeader, SipParseError } from './parse-error.js';
import type { ReceivedLines } from './received.js';
import { checkLine, decodeWire, encodeWire, withoutNul } from './wire-text.js';

/** What may be given for a header: the typed value, or raw text (one line, or one line each). `undefined` leaves it out. */
export type HeaderInit = {
  [K in HeaderName]?: HeaderValues[K] | string | readonly string[] | undefined;
} & { [name: string]: HeaderValues[HeaderName] | string | readonly string[] | undefined };

/** The headers of one message, in order (RFC 3261 §7.3). Typed values are parsed on first use and kept; they are read-only. */
export class SipHeaders {
  #own: Field[];
  /** Lines that came in and are not objects yet; `#own` is empty as long as there are any. */
  #received: ReceivedLines | undefined;

  /** @param lines taken over, not copied. */
  constructor(lines: Field[] | ReceivedLines = []) {
    if (Array.isArray(lines)) {
      this.#own = lines;
      this.#received = undefined;
    } else {
      this.#own = [];
      this.#received = lines;
    }
  }

  get #fields(): Field[] {
    if (this.#received !== undefined) {
      this.#own = this.#received.fields();
      this.#received = undefined;
    }
    return this.#own;
  }

  /** Headers from an object, in its order. @throws UsageError PBX_INVALID_ARGUMENT */
  static from(init: HeaderInit): SipHeaders {
    return new SipHeaders().assign(init);
  }

  /** Sets every header of the object. @throws UsageError PBX_INVALID_ARGUMENT */
  assign(init: HeaderInit): this {
    const fields = this.#fields;
    // Canonical names cannot repeat in one object: into empty headers they go without a search for an earlier line.
    let fresh = fields.length === 0;
    for (const name in init) {
      const value: unknown = init[name];
      if (value === undefined) continue;
      const codec = codecOf(name);
      fresh = fresh && codec !== undefined && codec.name === name;
      if (codec !== undefined && isTypedValue(codec, value)) {
        const field = new TypedField(codec, value);
        if (fresh) fields.push(field);
        else this.#replace(name, [field]);
      } else if (typeof value === 'string' && fresh) fields.push(rawField(name, value));
      else this.setRaw(name, Array.isArray(value) ? checkLines(codec, value) : String(value));
    }
    return this;
  }

  /**
   * The typed value, parsed on first use and kept; undefined when the header is absent.
   * @throws SipParseError (naming the header) when the text is malformed or a header that stands once is there twice.
   */
  get<K extends HeaderName>(name: K): HeaderValues[K] | undefined {
    const codec = codecFor(name);
    const received = this.#received;
    return (received === undefined ? this.#getOwn(codec) : received.get(codec)) as HeaderValues[K] | undefined;
  }

  #getOwn(codec: AnyCodec): unknown {
    const fields = this.#own;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as Field;
      if (!field.matches(codec)) continue;
      if (field.typed === undefined) field.typed = this.#parse(codec, i);
      return field.typed;
    }
    return undefined;
  }

  #parse(codec: AnyCodec, first: number): unknown {
    const fields = this.#fields;
    try {
      let value = codec.read((fields[first] as Field).scanner());
      for (let i = first + 1; i < fields.length; i++) {
        const field = fields[i] as Field;
        if (!field.matches(codec)) continue;
        if (codec.merge === undefined) throw new SipParseError('the header stands more than once');
        value = codec.merge(value, codec.read(field.scanner()));
      }
      return value;
    } catch (error) {
      throw inHeader(codec.name, error);
    }
  }

  /** Every value of the header as text, one element a line, unfolded; any spelling or compact form of the name. */
  raw(name: string): string[] {
    const values: string[] = [];
    for (const field of this.#copies(name)) {
      for (const line of field.lines()) values.push(field.isTyped ? line : decodeWire(line));
    }
    return values;
  }

  /** As `raw`, but with one character per byte as it stood on the wire: for an exact echo. */
  wire(name: string): string[] {
    const values: string[] = [];
    for (const field of this.#copies(name)) {
      for (const line of field.lines()) values.push(field.isTyped ? encodeWire(line) : line);
    }
    return values;
  }

  /** The first line of the header as text. */
  first(name: string): string | undefined {
    return this.raw(name)[0];
  }

  has(name: string): boolean {
    return this.count(name) > 0;
  }

  /** How many lines of that name there are. */
  count(name: string): number {
    const received = this.#received;
    const codec = received === undefined ? undefined : codecOf(name);
    if (received !== undefined && codec !== undefined) return received.countOf(codec);
    return this.#all(name).reduce((count, field) => count + field.lineCount, 0);
  }

  /** Replaces the header: in the place of its first line, else at the end. */
  set<K extends HeaderName>(name: K, value: HeaderValues[K]): this {
    return this.#setTyped(CODECS[name] as AnyCodec, value);
  }

  #setTyped(codec: AnyCodec, value: unknown): this {
    this.#replace(codec.name, [new TypedField(codec, value)]);
    return this;
  }

  /** Replaces the header by lines of text. @throws UsageError PBX_INVALID_ARGUMENT for CR or LF, or a name that is no token. */
  setRaw(name: string, value: string | readonly string[]): this {
    const values = typeof value === 'string' ? [value] : value;
    this.#replace(
      name,
      values.map((text) => rawField(name, text)),
    );
    return this;
  }

  #replace(name: string, added: readonly Field[]): void {
    const fields = this.#fields;
    const codec = codecOf(name);
    let at = -1;
    let kept = 0;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as Field;
      if (isNamed(field, codec, name)) {
        if (at < 0) at = kept;
      } else fields[kept++] = field;
    }
    if (kept < fields.length) fields.length = kept;
    if (at < 0) fields.push(...added);
    else fields.splice(at, 0, ...added);
  }

  /** Adds a line of text behind all others. @throws UsageError PBX_INVALID_ARGUMENT */
  append(name: string, value: string): this {
    const field = rawField(name, value);
    this.#asRaw(name);
    this.#fields.push(field);
    return this;
  }

  /** Adds a line of text before the others of its name, else before all. @throws UsageError PBX_INVALID_ARGUMENT */
  prepend(name: string, value: string): this {
    const field = rawField(name, value);
    this.#asRaw(name);
    const codec = codecOf(name);
    const at = this.#fields.findIndex((other) => isNamed(other, codec, name));
    this.#fields.splice(Math.max(at, 0), 0, field);
    return this;
  }

  /** Before a line is added: the lines of the name become text, and the kept value is forgotten. */
  #asRaw(name: string): void {
    const fields = this.#all(name);
    if (fields.some((field) => field.isTyped)) {
      this.#replace(
        name,
        this.raw(name).map((text) => rawField(name, text)),
      );
    } else for (const field of fields) field.typed = undefined;
  }

  remove(name: string): this {
    this.#replace(name, []);
    return this;
  }

  /** The top Via (RFC 3261 §20.42), undefined when there is none. @throws SipParseError */
  get topVia(): Via | undefined {
    return this.get('Via')?.[0];
  }

  /** Puts a Via on top. */
  pushVia(via: Via): this {
    const below = this.get('Via');
    const at = this.#fields.findIndex((field) => field.matches(CODECS.Via as AnyCodec));
    if (below === undefined || at < 0 || (this.#fields[at] as Field).isTyped) {
      this.#fields.splice(
        Math.max(at, 0),
        at < 0 ? 0 : 1,
        new TypedField(CODECS.Via as AnyCodec, [via, ...(below ?? [])]),
      );
      return this;
    }
    this.prepend('Via', formatVia(via));
    (this.#fields[at] as Field).typed = [via, ...below];
    return this;
  }

  /** Removes the top Via and gives it back. @throws SipParseError */
  popVia(): Via | undefined {
    const vias = this.get('Via');
    if (vias === undefined || vias.length === 0) return undefined;
    this.#spliceVia(vias.slice(1), []);
    return vias[0];
  }

  /** Replaces the top Via; the lines below stay as they came. @throws SipParseError */
  replaceTopVia(via: Via): this {
    const vias = this.get('Via');
    if (vias === undefined || vias.length === 0) return this.pushVia(via);
    if (this.#received?.replaceOnly(CODECS.Via as AnyCodec, via) === true) return this;
    this.#spliceVia([via, ...vias.slice(1)], [via]);
    return this;
  }

  #spliceVia(all: readonly Via[], top: readonly Via[]): void {
    const codec = CODECS.Via as AnyCodec;
    const at = this.#fields.findIndex((field) => field.matches(codec));
    const field = this.#fields[at] as Field;
    if (field.isTyped) {
      this.#fields.splice(at, 1, ...(all.length === 0 ? [] : [new TypedField(codec, all)]));
      return;
    }
    const inLine = CODECS.Via.read(field.scanner());
    const added = [...top, ...inLine.slice(1)].map((via) => rawField('Via', formatVia(via)));
    this.#fields.splice(at, 1, ...added);
    const first = this.#fields.find((other) => other.matches(codec));
    if (first !== undefined) first.typed = all;
  }

  /** Copies all lines of a header from another message, byte for byte, to the end of these. */
  copyFrom(other: SipHeaders, name: string): this {
    const added = other.#copies(name);
    for (let i = 0; i < added.length; i++) this.#fields.push(added[i] as Field);
    return this;
  }

  /** Adds text to the end of the only line of a header, whose bytes stay as they came. @throws UsageError PBX_INVALID_ARGUMENT */
  appendToLine(name: string, text: string): this {
    checkLine(text, `header ${name}`);
    const codec = codecOf(name);
    const fields = this.#fields;
    const at = fields.findIndex((field) => isNamed(field, codec, name));
    const field = fields[at];
    if (field !== undefined && !field.isTyped)
      fields[at] = new TextField(codec, name, (field.lines()[0] ?? '') + encodeWire(text));
    else this.setRaw(name, (this.first(name) ?? '') + text);
    return this;
  }

  /** Canonical name (of an unknown header: as it stands) and text of each line, in order. */
  *entries(): Generator<readonly [name: string, value: string]> {
    for (const field of this.#fields) {
      for (const line of field.lines()) yield [field.canonicalName, field.isTyped ? line : decodeWire(line)];
    }
  }

  clone(): SipHeaders {
    return new SipHeaders(this.#fields.map((field) => field.copy()));
  }

  /** The lines themselves, for `print`. */
  get fields(): readonly Field[] {
    return this.#fields;
  }

  #all(name: string): readonly Field[] {
    const codec = codecOf(name);
    return this.#fields.filter((field) => isNamed(field, codec, name));
  }

  /** Lines for a look or for another message. Lines that came in do not become objects for good by it. */
  #copies(name: string): readonly Field[] {
    const received = this.#received;
    const codec = received === undefined ? undefined : codecOf(name);
    if (received !== undefined && codec !== undefined) return received.copies(codec);
    return this.#all(name).map((field) => field.copy());
  }
}

function rawField(name: string, text: string): Field {
  const codec = codecOf(name);
  if (codec === undefined && !isToken(name)) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `header name: found ${JSON.stringify(name)}, expected a token`);
  }
  checkLine(text, `header ${name}`);
  return new TextField(codec, name, encodeWire(withoutNul(trim(text))));
}

function isNamed(field: Field, codec: AnyCodec | undefined, name: string): boolean {
  return codec === undefined ? field.knownCodec === undefined && field.hasName(name) : field.matches(codec);
}

/**
 * Text stands for itself in a header that is text, and for a line to be parsed in others. A list of text is a line each, unless the
 * value of the header is such a list.
 */
function isTypedValue(codec: AnyCodec, value: unknown): boolean {
  if (typeof value === 'string') return codec.isText;
  if (!Array.isArray(value) || codec.isTextList) return true;
  return value.length === 0 ? codec.merge !== undefined : typeof value[0] !== 'string';
}

function checkLines(codec: AnyCodec | undefined, lines: readonly unknown[]): readonly string[] {
  if (codec !== undefined && codec.merge === undefined && lines.length > 1) {
    const found = `${codec.name}: found ${lines.length} lines`;
    throw new UsageError('PBX_INVALID_ARGUMENT', `${found}, expected one: the header may stand only once`);
  }
  return lines.map(String);
}
