import { isClass, isSpace, skipClass, TOKEN, VALUE } from './chars.js';
import { SipParseError } from './parse-error.js';

/** A reading position in one header value. Every fault is a SipParseError at that position. */
export class Scanner {
  pos: number;

  constructor(
    readonly text: string,
    pos = 0,
  ) {
    this.pos = pos;
  }

  get atEnd(): boolean {
    return this.pos >= this.text.length;
  }

  /** The character code here, -1 at the end. */
  peek(): number {
    return this.pos < this.text.length ? this.text.charCodeAt(this.pos) : -1;
  }

  fail(expected: string): never {
    const found = this.atEnd ? 'the end' : JSON.stringify(this.text.slice(this.pos, this.pos + 12));
    throw new SipParseError(`expected ${expected}, found ${found}`, { offset: this.pos });
  }

  skipSpace(): void {
    const text = this.text;
    while (this.pos < text.length && isSpace(text.charCodeAt(this.pos))) this.pos++;
  }

  /** Skips white space around one character; false when it is another one. */
  accept(code: number): boolean {
    this.skipSpace();
    if (this.peek() !== code) return false;
    this.pos++;
    this.skipSpace();
    return true;
  }

  expect(code: number): void {
    if (!this.accept(code)) this.fail(JSON.stringify(String.fromCharCode(code)));
  }

  /** One token. */
  token(what: string): string {
    const start = this.pos;
    const end = skipClass(this.text, start, this.text.length, TOKEN);
    if (end === start) this.fail(what);
    this.pos = end;
    return this.text.slice(start, end);
  }

  /** A quoted string with its quotes, as it stands; the position is at the opening quote. */
  quoted(): string {
    const end = endOfQuoted(this.text, this.pos);
    if (end < 0) this.fail('a closing quote');
    const start = this.pos;
    this.pos = end;
    return this.text.slice(start, end);
  }

  /** A parameter value: a quoted string as it stands, or everything up to white space or a separator. */
  value(what: string): string {
    if (this.peek() === 0x22) return this.quoted();
    const start = this.pos;
    const end = skipClass(this.text, start, this.text.length, VALUE);
    if (end === start) this.fail(what);
    this.pos = end;
    return this.text.slice(start, end);
  }

  /** A decimal number from 0 to `max`, a whole word. */
  number(what: string, max: number): number {
    const start = this.pos;
    let value = 0;
    let pos = start;
    for (; pos < this.text.length; pos++) {
      const digit = this.text.charCodeAt(pos) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > max) this.fail(`${what} of at most ${max}`);
    }
    if (pos === start || (pos < this.text.length && isClass(this.text.charCodeAt(pos), TOKEN))) this.fail(what);
    this.pos = pos;
    return value;
  }

  end(): void {
    this.skipSpace();
    if (!this.atEnd) this.fail('the end of the value');
  }
}

/** The position behind the closing quote of the quoted string that opens at `open` (RFC 3261 §25.1), -1 when it is missing. */
export function endOfQuoted(text: string, open: number): number {
  let pos = open + 1;
  while (pos < text.length) {
    const code = text.charCodeAt(pos);
    if (code === 0x22) return pos + 1;
    pos += code === 0x5c ? 2 : 1;
  }
  return -1;
}
