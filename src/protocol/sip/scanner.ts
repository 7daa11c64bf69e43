import { decimalBytes, skipBytes, skipSpaces, TOKEN, VALUE } from './chars.js';
import { SipParseError } from './parse-error.js';
import { unquote } from './quoted.js';

/**
 * A reading position in one value, which stands from `start` to `end` in a text. Every fault is a SipParseError at that position.
 *
 * `bytes[i]` is the code of `text[i]` if it is ASCII, and 128 or more otherwise. Both views are kept because looking at
 * single characters is four times cheaper in bytes, and cutting pieces out is cheaper in a string.
 */
export class Scanner {
  pos: number;

  constructor(
    readonly text: string,
    readonly bytes: Uint8Array,
    readonly start: number,
    readonly end: number,
  ) {
    this.pos = start;
  }

  /** A scanner over a whole text of any characters. */
  static of(text: string): Scanner {
    return new Scanner(text, codesOf(text), 0, text.length);
  }

  get atEnd(): boolean {
    return this.pos >= this.end;
  }

  /** The character code here, -1 at the end. */
  peek(): number {
    return this.pos < this.end ? (this.bytes[this.pos] as number) : -1;
  }

  /** @throws SipParseError always, at `pos` (default: here). */
  fail(expected: string, pos = this.pos): never {
    const found = pos >= this.end ? 'the end' : JSON.stringify(this.text.slice(pos, Math.min(pos + 12, this.end)));
    throw new SipParseError(`expected ${expected}, found ${found}`, { offset: pos - this.start });
  }

  /** True when these bytes stand here. */
  startsWith(expected: Uint8Array): boolean {
    for (let i = 0; i < expected.length; i++) if (this.bytes[this.pos + i] !== expected[i]) return false;
    return true;
  }

  skipSpace(): void {
    this.pos = skipSpaces(this.bytes, this.pos, this.end);
  }

  /** Skips one character and the white space on both sides; false when another one stands here. */
  accept(code: number): boolean {
    const { bytes, end } = this;
    const pos = skipSpaces(bytes, this.pos, end);
    const found = pos < end && bytes[pos] === code;
    this.pos = found ? skipSpaces(bytes, pos + 1, end) : pos;
    return found;
  }

  expect(code: number): void {
    if (!this.accept(code)) this.fail(JSON.stringify(String.fromCharCode(code)));
  }

  /** One token. */
  token(what: string): string {
    return this.run(TOKEN, what);
  }

  /** One or more characters of a class. */
  run(bits: number, what: string): string {
    const start = this.pos;
    const end = skipBytes(this.bytes, start, this.end, bits);
    if (end === start) this.fail(what);
    this.pos = end;
    return this.text.slice(start, end);
  }

  /** A quoted string with its quotes (RFC 3261 §25.1), as it stands; the position is at the opening quote. */
  quoted(): string {
    const start = this.pos;
    this.#skipQuoted();
    return this.text.slice(start, this.pos);
  }

  /** The text of a quoted string, without quotes and escapes. */
  unquoted(): string {
    const start = this.pos;
    return this.#skipQuoted() ? unquote(this.text.slice(start, this.pos)) : this.text.slice(start + 1, this.pos - 1);
  }

  /** True when something in it is escaped. */
  #skipQuoted(): boolean {
    const { bytes, end } = this;
    const start = this.pos;
    let escaped = false;
    for (let pos = start + 1; pos < end; pos++) {
      const code = bytes[pos];
      if (code === 0x5c) {
        escaped = true;
        pos++;
        if (bytes[pos] === 0x0d) this.fail('a quoted character', pos);
      } else if (code === 0x0d) this.fail('a closing quote', pos);
      else if (code === 0x22) {
        this.pos = pos + 1;
        return escaped;
      }
    }
    return this.fail('a closing quote', end);
  }

  /** A parameter value: a quoted string as it stands, or everything up to white space or a separator. */
  value(what: string): string {
    return this.peek() === 0x22 ? this.quoted() : this.run(VALUE, what);
  }

  /** A decimal number from 0 to `max`, a whole word. */
  number(what: string, max: number): number {
    const start = this.pos;
    const end = skipBytes(this.bytes, start, this.end, TOKEN);
    const value = decimalBytes(this.bytes, start, end, max);
    if (value < 0) this.fail(`${what} of at most ${max}`);
    this.pos = end;
    return value;
  }

  /** Fails when anything but white space is left. */
  finish(): void {
    this.skipSpace();
    if (this.pos < this.end) this.fail('the end of the value');
  }

  /** The position of a character at or after `from`, -1 when it is not there. */
  find(character: string, from: number): number {
    const found = this.text.indexOf(character, from);
    return found < this.end ? found : -1;
  }
}

/** One byte for each character: its code, or 255 beyond U+00FF. */
function codesOf(text: string): Uint8Array {
  if (Buffer.byteLength(text) === text.length) return Buffer.from(text, 'latin1');
  const codes = Buffer.allocUnsafe(text.length);
  for (let i = 0; i < text.length; i++) codes[i] = Math.min(text.charCodeAt(i), 0xff);
  return codes;
}
