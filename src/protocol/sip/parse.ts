import { CLASS, decimal, decimalBytes, skipBytes, TOKEN } from './chars.js';
import { type AnyCodec, CODECS } from './header/registry.js';
import { SipHeaders } from './headers.js';
import { type BodySpan, type SipMessage, SipRequest, SipResponse } from './message.js';
import { type MessageLimit, SipParseError } from './parse-error.js';
import { ReceivedLines } from './received.js';
import { salvageTopVia } from './salvage.js';
import { decodeWire } from './wire-text.js';

export { SipParseError } from './parse-error.js';

/** What a message may cost. */
export interface ParseLimits {
  /** Start line and headers together, bytes; default 65,536. Beyond: status 513. */
  readonly maxHeadBytes: number;
  /** Header lines; default 256. Beyond: status 513. */
  readonly maxHeaders: number;
  /** Start line, bytes; default 2,048. Beyond: status 414, because what is long in it is the Request-URI. */
  readonly maxStartLineBytes: number;
  /** One header line with its folds, bytes; default 8,192. Beyond: status 513. */
  readonly maxHeaderLineBytes: number;
}

/** What holds where nothing is said. */
export const DEFAULT_PARSE_LIMITS: ParseLimits = Object.freeze({
  maxHeadBytes: 65_536,
  maxHeaders: 256,
  maxStartLineBytes: 2_048,
  maxHeaderLineBytes: 8_192,
});
const CONTENT_LENGTH = CODECS['Content-Length'] as AnyCodec;
// Constants of this module, because the compiler folds no constant of another one.
const CLASSES: Uint8Array = CLASS;
const TOKENS = TOKEN;

interface Fault {
  readonly message: string;
  readonly offset: number;
  readonly status: number;
  readonly limit?: MessageLimit;
}

/**
 * Reads one message that fills `bytes`, such as a datagram: the body is cut to Content-Length, octets behind it are ignored
 * (RFC 3261 §18.3). Headers are only found here, and parsed when they are asked for. The bytes must not change afterwards.
 *
 * @throws SipParseError when the start line or the header framing is unusable. It has a `partial` request
 * when the top Via was readable, so that the sender can be answered.
 */
export function parseMessage(bytes: Uint8Array, limits?: Partial<ParseLimits>): SipMessage {
  const maxHeadBytes = limits?.maxHeadBytes ?? DEFAULT_PARSE_LIMITS.maxHeadBytes;
  const maxHeaders = limits?.maxHeaders ?? DEFAULT_PARSE_LIMITS.maxHeaders;
  const size = Math.min(bytes.length, maxHeadBytes);
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('latin1', 0, size);
  // Empty lines before the start line are ignored (§7.5).
  let pos = 0;
  while (buffer[pos] === 0x0d && buffer[pos + 1] === 0x0a) pos += 2;
  const start = pos;
  const startEnd = text.indexOf('\r\n', pos);
  if (startEnd < 0) throw new SipParseError('the start line does not end', { offset: size });
  pos = startEnd + 2;

  const lines = new ReceivedLines(text, buffer);
  let contentLength = -1;
  let fault: Fault | undefined;
  let bodyStart = -1;
  while (pos < size) {
    const nameStart = pos;
    let code = buffer[pos] as number;
    let hash = 0;
    while (((CLASSES[code] as number) & TOKENS) !== 0) {
      // `nameHash`, written out: this is the innermost loop.
      hash = (Math.imul(hash, 31) + (code | 0x20)) | 0;
      code = buffer[++pos] as number;
    }
    const nameEnd = pos;
    if (nameEnd === nameStart && code === 0x0d && buffer[pos + 1] === 0x0a) {
      bodyStart = pos + 2;
      break;
    }
    while (code === 0x20 || code === 0x09) code = buffer[++pos] as number;
    const named = code === 0x3a && nameEnd > nameStart;
    if (named) code = buffer[++pos] as number;
    while (code === 0x20 || code === 0x09) code = buffer[++pos] as number;
    const valueStart = pos;
    let lf = text.indexOf('\n', pos);
    while (lf >= 0 && buffer[lf - 1] === 0x0d && (buffer[lf + 1] === 0x20 || buffer[lf + 1] === 0x09)) {
      lf = text.indexOf('\n', lf + 1);
    }
    if (lf < 0) break;
    if (buffer[lf - 1] !== 0x0d) fault ??= { message: 'a line feed without carriage return', offset: lf, status: 400 };
    else if (!named) fault ??= { message: 'expected a header name and ":"', offset: nameStart, status: 400 };
    else if (lines.count === maxHeaders) {
      fault = { message: `more than ${maxHeaders} header lines`, offset: nameStart, status: 513, limit: 'headers' };
      break;
    } else {
      const codec = lines.add(hash, nameStart, nameEnd, valueStart, lf - 1);
      if (codec === CONTENT_LENGTH && contentLength < 0) contentLength = lengthAt(buffer, valueStart, lf - 1);
    }
    pos = lf + 1;
  }
  if (bodyStart < 0) {
    fault ??=
      bytes.length > size
        ? {
            message: `start line and headers take more than ${maxHeadBytes} bytes`,
            offset: size,
            status: 513,
            limit: 'headerBytes',
          }
        : { message: 'the headers do not end with an empty line', offset: size, status: 400 };
    bodyStart = bytes.length;
  }
  fault ??= longLine(lines, start, startEnd, bodyStart, limits);
  const available = bytes.length - bodyStart;
  const end = bodyStart + (contentLength >= 0 && contentLength < available ? contentLength : available);
  const headers = new SipHeaders(lines);
  const span: BodySpan = { bytes: buffer, start: bodyStart, end };
  const message = readStartLine(text, start, startEnd, headers, span);
  if (message instanceof SipRequest || message instanceof SipResponse) {
    if (fault === undefined) return message;
    throw faultError(fault, message);
  }
  throw faultError(message.fault, message.request);
}

/** The start line or a header line that is too long, if there is one. */
function longLine(
  lines: ReceivedLines,
  start: number,
  startEnd: number,
  headEnd: number,
  limits: Partial<ParseLimits> | undefined,
): Fault | undefined {
  const maxStart = limits?.maxStartLineBytes ?? DEFAULT_PARSE_LIMITS.maxStartLineBytes;
  const maxLine = limits?.maxHeaderLineBytes ?? DEFAULT_PARSE_LIMITS.maxHeaderLineBytes;
  if (startEnd - start > maxStart) {
    const message = `the start line takes more than ${maxStart} bytes`;
    return { message, offset: start, status: 414, limit: 'startLineBytes' };
  }
  // Few messages are as long as one line may be.
  const at = headEnd - startEnd > maxLine ? lines.longerThan(maxLine, startEnd + 2) : -1;
  if (at < 0) return undefined;
  const message = `a header line takes more than ${maxLine} bytes`;
  return { message, offset: at, status: 513, limit: 'headerLineBytes' };
}

function lengthAt(bytes: Uint8Array, start: number, lineEnd: number): number {
  let end = lineEnd;
  while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x09)) end--;
  return decimalBytes(bytes, start, end, 0x7fff_ffff);
}

function faultError(fault: Fault, message: SipMessage | undefined): SipParseError {
  const answerable =
    message?.kind === 'request' && message.method !== 'ACK' && salvageTopVia(message.headers) !== undefined;
  return new SipParseError(fault.message, {
    offset: fault.offset,
    status: fault.status,
    ...(fault.limit === undefined ? {} : { limit: fault.limit }),
    ...(answerable ? { partial: message } : {}),
  });
}

interface BadStartLine {
  readonly fault: Fault;
  readonly request?: SipRequest;
}

function readStartLine(
  text: string,
  start: number,
  end: number,
  headers: SipHeaders,
  span: BodySpan,
): SipMessage | BadStartLine {
  const space = text.indexOf(' ', start);
  if (space < 0 || space >= end) return bad('expected a start line', start);
  if (text.startsWith('SIP/', start)) return readStatusLine(text, start, space, end, headers, span);
  if (space === start || skipBytes(span.bytes, start, space, TOKENS) < space) return bad('expected a method', start);
  const method = text.slice(start, space);
  // Exactly one SP on each side of a Request-URI without white space (§7.1, §25.1).
  const last = text.indexOf(' ', space + 1);
  if (last > space + 1 && last < end) {
    const version = text.startsWith('SIP/2.0\r', last + 1) ? 'SIP/2.0' : text.slice(last + 1, end);
    if (isVersion(version)) return new SipRequest(method, text.slice(space + 1, last), headers, span, version);
  }
  const rest = text.slice(space + 1, end);
  if (!rest.includes(' SIP/')) return bad('expected a Request-URI and a SIP version', space + 1);
  return { ...bad('white space in the request line', space + 1), request: new SipRequest(method, rest, headers, span) };
}

function readStatusLine(
  text: string,
  start: number,
  space: number,
  end: number,
  headers: SipHeaders,
  span: BodySpan,
): SipMessage | BadStartLine {
  const codeEnd = space + 4;
  const status = codeEnd <= end ? decimalBytes(span.bytes, space + 1, codeEnd, 699) : -1;
  if (status < 100 || (codeEnd < end && text.charCodeAt(codeEnd) !== 0x20))
    return bad('expected a status code', space + 1);
  const version = text.slice(start, space);
  if (!isVersion(version)) return bad('expected a SIP version', start);
  const reason = codeEnd < end ? decodeWire(text.slice(codeEnd + 1, end)) : '';
  if (reason.includes('\n') || reason.includes('\r')) return bad('a line break in the reason phrase', codeEnd);
  return new SipResponse(status, reason, headers, span, version);
}

function bad(message: string, offset: number): BadStartLine {
  return { fault: { message, offset, status: 400 } };
}

/** `SIP/` digits `.` digits. */
function isVersion(text: string): boolean {
  if (text === 'SIP/2.0') return true;
  const dot = text.indexOf('.');
  return text.startsWith('SIP/') && decimal(text, 4, dot, 9999) >= 0 && decimal(text, dot + 1, text.length, 9999) >= 0;
}

/** The request in `error.partial`, undefined when nobody can be answered. */
export function partialRequest(error: SipParseError): SipRequest | undefined {
  return error.partial instanceof SipRequest ? error.partial : undefined;
}
