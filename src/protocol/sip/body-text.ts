/**
 * Bodies as text and back, without loss. A body is bytes, and one that should be UTF-8 (RFC 8866 §4.5) need not be: phones put
 * ISO 8859-1 into the session name. Bytes that are no UTF-8 become a lone surrogate each, U+DC80 to U+DCFF, which no valid text
 * holds, and become the same bytes again when the text is sent: so a B2BUA passes on what it does not understand.
 */

const ESCAPE = 0xdc00;

/** Bytes as text. Text from here goes out byte for byte as it came in when it is given as a body, also through JSON. */
export function decodeBody(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8');
  // U+FFFD stands for what could not be read, or for itself.
  if (!text.includes('\uFFFD')) return text;
  let out = '';
  let from = 0;
  let pos = 0;
  while (pos < buffer.length) {
    const length = sequenceLength(buffer, pos);
    if (length > 0) pos += length;
    else {
      out += buffer.toString('utf8', from, pos) + String.fromCharCode(ESCAPE + (buffer[pos] as number));
      pos++;
      from = pos;
    }
  }
  return out + buffer.toString('utf8', from);
}

/** Text as UTF-8, with the bytes that `decodeBody` kept. */
export function encodeBody(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  // ASCII, as nearly every session description is.
  if (bytes.length === text.length) return bytes;
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (let pos = 0; pos < text.length; pos++) {
    const code = text.codePointAt(pos) as number;
    if (code > 0xffff) pos++;
    else if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) {
      pieces.push(Buffer.from(text.slice(from, pos), 'utf8'), Uint8Array.of(code - ESCAPE));
      from = pos + 1;
    }
  }
  return from === 0 ? bytes : Buffer.concat([...pieces, Buffer.from(text.slice(from), 'utf8')]);
}

/** How many bytes the character here takes, 0 when no valid sequence stands here (Unicode, table 3-7). */
function sequenceLength(bytes: Uint8Array, pos: number): number {
  const lead = bytes[pos] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[pos + 1] ?? 0;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) if (((bytes[pos + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
