import { UsageError } from '../../base/errors.js';
import { isToken } from './chars.js';
import type { MediaType } from './header/media-type.js';
import { formatMediaType, parseMediaType } from './header/media-type.js';
import { getParam, quote, unquote, withParam } from './params.js';
import { SipParseError } from './parse-error.js';
import { checkLine, decodeWire, encodeWire, unfold } from './wire-text.js';

/** One part of a multipart body (RFC 2046 §5.1, RFC 5621). */
export interface Part {
  /** As they stand, in order; names keep their spelling. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** text/plain when the part says nothing (RFC 2046 §5.1). */
  readonly contentType: MediaType;
  readonly body: Uint8Array;
}

/** Parts of one body, at most. */
export const MAX_PARTS = 64;
const PLAIN: MediaType = { type: 'text', subtype: 'plain', params: [] };

/**
 * The parts of a body; a part that is a multipart body itself stays as it is.
 * @throws SipParseError when the boundary is missing, the body does not end with it, or there are more than `maxParts` (413).
 */
export function parseMultipart(body: Uint8Array, contentType: MediaType, maxParts = MAX_PARTS): Part[] {
  const boundary = unquote(getParam(contentType.params, 'boundary') ?? '');
  if (boundary === '' || boundary.length > 70) throw new SipParseError('expected a boundary of 1 to 70 characters');
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  const mark = `--${encodeWire(boundary)}`;
  const parts: Part[] = [];
  let delimiter = findDelimiter(text, mark, 0);
  for (;;) {
    if (delimiter < 0) throw new SipParseError('the closing boundary is missing', { offset: text.length });
    const behind = delimiter + mark.length;
    if (text.startsWith('--', behind)) return parts;
    if (parts.length === maxParts)
      throw new SipParseError(`more than ${maxParts} parts`, { offset: delimiter, status: 413, limit: 'bodyParts' });
    const start = text.indexOf('\r\n', behind);
    if (start < 0) throw new SipParseError('a boundary without line end', { offset: behind });
    const next = findDelimiter(text, mark, start);
    if (next < 0) throw new SipParseError('the closing boundary is missing', { offset: text.length });
    // The CRLF before a boundary belongs to the boundary.
    parts.push(readPart(body, text, start + 2, Math.max(next - 2, start + 2)));
    delimiter = next;
  }
}

/** The next boundary at the beginning of a line and followed by `--`, white space or the line end. */
function findDelimiter(text: string, mark: string, from: number): number {
  for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + mark.length)) {
    const next = text.charAt(at + mark.length);
    const begins = at === 0 || (text.charCodeAt(at - 1) === 0x0a && text.charCodeAt(at - 2) === 0x0d);
    if (begins && (next === '\r' || next === ' ' || next === '\t' || text.startsWith('--', at + mark.length)))
      return at;
  }
  return -1;
}

function readPart(bytes: Uint8Array, text: string, start: number, end: number): Part {
  const headers: (readonly [string, string])[] = [];
  let contentType = PLAIN;
  let pos = start;
  while (pos < end && !text.startsWith('\r\n', pos)) {
    let lineEnd = text.indexOf('\r\n', pos);
    while (lineEnd >= 0 && lineEnd < end && ' \t'.includes(text.charAt(lineEnd + 2) || 'x'))
      lineEnd = text.indexOf('\r\n', lineEnd + 2);
    if (lineEnd < 0 || lineEnd > end) lineEnd = end;
    const colon = text.indexOf(':', pos);
    if (colon < 0 || colon >= lineEnd)
      throw new SipParseError('expected a header name and ":" in a part', { offset: pos });
    const name = text.slice(pos, colon).trimEnd();
    const value = decodeWire(unfold(text.slice(colon + 1, lineEnd)).trim());
    if (!isToken(name)) throw new SipParseError('expected a header name in a part', { offset: pos });
    headers.push([name, value]);
    if (name.toLowerCase() === 'content-type' || name === 'c') contentType = parseMediaType(value);
    pos = lineEnd + 2;
  }
  const bodyStart = Math.min(pos + 2, end);
  return { headers, contentType, body: bytes.subarray(Math.min(bodyStart, end), end) };
}

/**
 * Joins parts to a body. The boundary must occur in none of them: take a random one.
 * @throws UsageError PBX_INVALID_ARGUMENT when it does, or when a header holds CR, LF or NUL.
 */
export function printMultipart(
  parts: readonly {
    readonly headers?: readonly (readonly [string, string])[];
    readonly contentType: MediaType;
    readonly body: Uint8Array;
  }[],
  boundary: string,
  subtype = 'mixed',
): { readonly contentType: MediaType; readonly body: Uint8Array } {
  checkLine(boundary, 'boundary');
  if (boundary === '' || boundary.length > 70) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `boundary: found ${boundary.length} characters, expected 1 to 70`);
  }
  const chunks: Uint8Array[] = [];
  for (const part of parts) {
    const body = Buffer.from(part.body.buffer, part.body.byteOffset, part.body.length);
    if (body.includes(`--${boundary}`)) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `boundary: ${JSON.stringify(boundary)} occurs in a part; take another`,
      );
    }
    let head = `--${boundary}\r\nContent-Type: ${formatMediaType(part.contentType)}\r\n`;
    for (const [name, value] of part.headers ?? []) {
      if (name.toLowerCase() === 'content-type') continue;
      if (!isToken(name))
        throw new UsageError('PBX_INVALID_ARGUMENT', `header name: found ${JSON.stringify(name)}, expected a token`);
      checkLine(value, `header ${name}`);
      head += `${name}: ${value}\r\n`;
    }
    chunks.push(Buffer.from(`${head}\r\n`, 'utf8'), body, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`, 'utf8'));
  const params = withParam([], 'boundary', isToken(boundary) ? boundary : quote(boundary));
  return { contentType: { type: 'multipart', subtype, params }, body: Buffer.concat(chunks) };
}
