import { checkLine, withoutNul } from './wire-text.js';

const SLAB_BYTES = 32_768;

/**
 * Writes text as UTF-8 into a slab that many messages share, as Node's own buffer pool does; `finish` gives a view, not a copy.
 * Short pieces are copied character by character: that is cheaper than joining strings, and the check for line breaks is free.
 */
export class ByteWriter {
  #bytes: Buffer;
  #start = 0;
  #pos = 0;

  constructor(slabBytes = SLAB_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(slabBytes);
  }

  /** Forgets what was written since the last `finish`. */
  begin(): void {
    this.#pos = this.#start;
  }

  /** The bytes written since `begin`. They are never written again. */
  finish(): Buffer {
    const view = this.#bytes.subarray(this.#start, this.#pos);
    this.#start = this.#pos;
    return view;
  }

  /** The text written since `begin`, whose place is used again. */
  finishText(): string {
    const text = this.#bytes.toString('utf8', this.#start, this.#pos);
    this.#pos = this.#start;
    return text;
  }

  /**
   * Ordinary text, as UTF-8. NUL is left out.
   * @throws UsageError PBX_INVALID_ARGUMENT when it holds CR or LF: nothing that a program hands over may begin a new line.
   */
  text(text: string): void {
    const { length } = text;
    let pos = this.#pos;
    if (pos + length > this.#bytes.length) {
      this.#grow(length);
      pos = this.#pos;
    }
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f || code < 0x0e) {
        this.#pos = pos + i;
        this.#unusual(text, i);
        return;
      }
      bytes[pos + i] = code;
    }
    this.#pos = pos + length;
  }

  #unusual(text: string, from: number): void {
    checkLine(text, 'message');
    this.bytes(Buffer.from(withoutNul(text.slice(from)), 'utf8'));
  }

  /** Wire text (one character per byte) that is known to be sound. */
  wire(text: string): void {
    const { length } = text;
    if (this.#pos + length > this.#bytes.length) this.#grow(length);
    if (length > 24) this.#pos += this.#bytes.write(text, this.#pos, 'latin1');
    else {
      const bytes = this.#bytes;
      let pos = this.#pos;
      for (let i = 0; i < length; i++) bytes[pos++] = text.charCodeAt(i);
      this.#pos = pos;
    }
  }

  /** Bytes as they are. */
  bytes(added: Uint8Array): void {
    const { length } = added;
    if (this.#pos + length > this.#bytes.length) this.#grow(length);
    const bytes = this.#bytes;
    let pos = this.#pos;
    if (length > 64) bytes.set(added, pos);
    else for (let i = 0; i < length; i++) bytes[pos++] = added[i] as number;
    this.#pos += length;
  }

  /** One ASCII character. */
  code(code: number): void {
    if (this.#pos === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#pos++] = code;
  }

  /** A whole number from 0 up, in decimal. */
  number(value: number): void {
    if (value >= 0 && value < 10) this.code(0x30 + value);
    else this.wire(String(value));
  }

  #grow(more: number): void {
    const written = this.#pos - this.#start;
    const grown = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (written + more)));
    this.#bytes.copy(grown, 0, this.#start, this.#pos);
    this.#bytes = grown;
    this.#start = 0;
    this.#pos = written;
  }
}

const texts = new ByteWriter(4_096);
let inUse = false;

/** What `write` writes, as a string. @throws UsageError PBX_INVALID_ARGUMENT as `ByteWriter.text` does. */
export function written(write: (writer: ByteWriter) => void): string {
  const writer = inUse ? new ByteWriter(1_024) : texts;
  inUse = true;
  writer.begin();
  try {
    write(writer);
    return writer.finishText();
  } finally {
    if (writer === texts) inUse = false;
  }
}
