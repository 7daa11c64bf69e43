import { SipParseError } from './parse-error.js';

/** What comes out of a stream (RFC 3261 §18.3, RFC 5626 §4.4.1). */
export type Frame =
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  /** CRLFCRLF between messages: to be answered with CRLF. */
  | { readonly type: 'ping' }
  /** A single CRLF between messages. */
  | { readonly type: 'pong' }
  /** The stream cannot be framed any more; close the connection. `bytes`: the message at fault, as far as it has come. */
  | { readonly type: 'error'; readonly error: SipParseError; readonly bytes: Uint8Array };

/** Bytes; defaults 65,536 and 1,048,576. */
export interface FramerLimits {
  readonly maxHeaderBytes?: number;
  readonly maxBodyBytes?: number;
}

const CR = 0x0d;
const LF = 0x0a;

/** What a stream keeps for its next message: most fit. */
const IDLE_BYTES = 4_096;

/** Cuts a byte stream into messages by Content-Length. A message without one has no body. After an error it takes no more. */
export class StreamFramer {
  readonly #maxHeaderBytes: number;
  readonly #maxBodyBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Where the search for the end of the head goes on. */
  #searched = 0;
  /** Length of the whole message once its head is read, 0 before. */
  #needed = 0;
  #failed = false;

  constructor(limits: FramerLimits = {}) {
    this.#maxHeaderBytes = limits.maxHeaderBytes ?? 65_536;
    this.#maxBodyBytes = limits.maxBodyBytes ?? 1_048_576;
  }

  /** Bytes that wait for the rest of their message. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that are held for this stream: at most twice what waits, and 4 KiB when nothing does. */
  get held(): number {
    return this.#buffer.length;
  }

  /** Takes the next bytes of the stream and gives what is complete. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.#failed) return frames;
    this.#append(chunk);
    let frame = this.#next();
    while (frame !== undefined) {
      frames.push(frame);
      frame = this.#failed ? undefined : this.#next();
    }
    return frames;
  }

  #append(chunk: Uint8Array): void {
    const pending = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      // Doubling keeps a message that comes byte by byte linear.
      const size = Math.max(2 * (pending + chunk.length), IDLE_BYTES);
      const grown = Buffer.allocUnsafeSlow(size);
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#buffer = grown;
      this.#searched -= this.#start;
      this.#start = 0;
      this.#end = pending;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #next(): Frame | undefined {
    const buffer = this.#buffer;
    if (this.#needed === 0) {
      if (this.#start === this.#end) return undefined;
      if (buffer[this.#start] === CR) return this.#keepAlive();
      const fault = this.#readHead();
      if (fault !== undefined) return this.#fail(fault);
      if (this.#needed === 0) return undefined;
    }
    if (this.#end - this.#start < this.#needed) return undefined;
    // A copy: the buffer is written again, the message lives on.
    const bytes = Buffer.from(buffer.subarray(this.#start, this.#start + this.#needed));
    this.#consume(this.#needed);
    this.#needed = 0;
    return { type: 'message', bytes };
  }

  #keepAlive(): Frame | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    const length = this.#end - start;
    if (length < 2) return undefined;
    if (buffer[start + 1] !== LF) return this.#fail(new SipParseError('a carriage return without line feed'));
    // The second half of a ping may come in a later segment; then the first is taken for a pong, which harms nobody.
    if (length >= 4 && buffer[start + 2] === CR && buffer[start + 3] === LF) {
      this.#consume(4);
      return { type: 'ping' };
    }
    if (length === 3 && buffer[start + 2] === CR) return undefined;
    this.#consume(2);
    return { type: 'pong' };
  }

  #consume(length: number): void {
    this.#start += length;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
      // One large message must not cost its size as long as the connection lives.
      if (this.#buffer.length > IDLE_BYTES) this.#buffer = Buffer.alloc(0);
    }
    this.#searched = this.#start;
  }

  #fail(error: SipParseError): Frame {
    const bytes = this.#buffer.subarray(this.#start, this.#end);
    this.#failed = true;
    this.#buffer = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
    return { type: 'error', error, bytes };
  }

  #readHead(): SipParseError | undefined {
    const view = this.#buffer.subarray(0, this.#end);
    const from = Math.max(this.#start, this.#searched - 3);
    const headEnd = view.indexOf('\r\n\r\n', from, 'latin1');
    this.#searched = this.#end;
    const size = (headEnd < 0 ? this.#end : headEnd + 4) - this.#start;
    if (size > this.#maxHeaderBytes) {
      return new SipParseError(`start line and headers take more than ${this.#maxHeaderBytes} bytes`, {
        status: 513,
        limit: 'headerBytes',
      });
    }
    if (headEnd < 0) return undefined;
    const length = contentLength(view.toString('latin1', this.#start, headEnd + 2));
    if (length < 0) return new SipParseError('expected one Content-Length of digits', { header: 'Content-Length' });
    if (length > this.#maxBodyBytes) {
      return new SipParseError(`the body takes more than ${this.#maxBodyBytes} bytes`, {
        status: 413,
        header: 'Content-Length',
        limit: 'bodyBytes',
      });
    }
    this.#needed = size + length;
    return undefined;
  }
}

/** The Content-Length in a head of whole lines: 0 when there is none, -1 when it is unusable or stands twice. */
function contentLength(head: string): number {
  let length = -2;
  for (let pos = head.indexOf('\n') + 1; pos > 0 && pos < head.length; pos = head.indexOf('\n', pos) + 1) {
    const colon = head.indexOf(':', pos);
    if (colon < 0) break;
    if (!isLengthName(head, pos, colon)) continue;
    if (length !== -2) return -1;
    let end = head.indexOf('\n', colon);
    // A folded value goes on.
    while (end >= 0 && (head.charCodeAt(end + 1) === 0x20 || head.charCodeAt(end + 1) === 0x09))
      end = head.indexOf('\n', end + 1);
    const value = head.slice(colon + 1, end < 0 ? head.length : end).trim();
    length = value.length > 0 && value.length <= 10 && isDigits(value) ? Number(value) : -1;
    if (length < 0) return -1;
  }
  return length === -2 ? 0 : length;
}

function isLengthName(head: string, start: number, colon: number): boolean {
  if (colon - start > 64) return false;
  const name = head.slice(start, colon).trimEnd().toLowerCase();
  return name === 'content-length' || name === 'l';
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
