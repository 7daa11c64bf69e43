import { parseConnection, parseMediaLine, parseOrigin } from './fields.js';
import { SdpParseError } from './parse-error.js';

/** One line as it stood: `type=value` and its line end. Types and attributes that we do not know are kept like all others. */
export interface SdpLine {
  /** One letter. */
  readonly type: string;
  readonly value: string;
  /** `\r\n`, `\n`, or empty for a last line without an end. */
  readonly end: string;
}

/** The session part, or one media description beginning with its `m=` line. */
export interface SdpSection {
  readonly lines: readonly SdpLine[];
}

/**
 * A session description (RFC 8866) as plain data: every line, in order, so that printing gives back the bytes that were
 * parsed. Read it through the views (`mediaSummary`, `directionOf`, …), change it through the edit functions, which return
 * a new one.
 */
export interface Sdp {
  readonly session: SdpSection;
  readonly media: readonly SdpSection[];
  /** Blank lines after the last line; kept for the sake of the bytes. */
  readonly trailer: string;
  /** `latin1` where the bytes are no UTF-8: then each character stands for one byte. */
  readonly encoding: 'utf-8' | 'latin1';
}

/** Streams of one description. A conference has a dozen; what is done with a stream looks through the whole description. */
const MAX_STREAMS = 64;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a session description. `v=0` must come first, exactly one `o=` must be there, and `o=`, `c=` and `m=` lines must
 * follow their grammar, so that the views never throw. Lenient otherwise: LF line ends, a missing `s=` or `t=`, lines out of
 * order and blank lines at the end are accepted, and kept.
 * @throws SdpParseError, and nothing else, for any bytes
 */
export function parseSdp(body: Uint8Array | string): Sdp {
  if (typeof body === 'string') return parseText(body, 'utf-8');
  let text: string;
  try {
    text = strictUtf8.decode(body);
  } catch {
    return parseText(latin1(body), 'latin1');
  }
  try {
    return parseText(text, 'utf-8');
  } catch (error) {
    if (!(error instanceof SdpParseError)) throw error;
    // The same fault again over single bytes, so that `offset` counts octets.
    return parseText(latin1(body), 'latin1');
  }
}

function latin1(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
}

function parseText(text: string, encoding: Sdp['encoding']): Sdp {
  const sections: SdpLine[][] = [[]];
  let origins = 0;
  let position = 0;
  let number = 0;
  while (position < text.length) {
    number++;
    const start = position;
    const at = { offset: start, line: number };
    const newline = text.indexOf('\n', start);
    const stop = newline < 0 ? text.length : newline;
    const cr = stop > start && newline >= 0 && text.charCodeAt(stop - 1) === 0x0d;
    const content = cr ? stop - 1 : stop;
    position = newline < 0 ? text.length : newline + 1;
    if (content === start) {
      if (number === 1) throw new SdpParseError('the body begins with a blank line, expected v=0', at);
      return finish(sections, origins, blankTrailer(text, start, number), encoding, at);
    }
    const line = readLine(text, start, content, text.slice(content, position), number);
    if (number === 1 && (line.type !== 'v' || line.value !== '0')) {
      throw new SdpParseError('expected v=0 as the first line', at);
    }
    if (line.type === 'o' && ++origins > 1) throw new SdpParseError('a second o= line', at);
    if (line.type === 'o' && sections.length > 1) throw new SdpParseError('o= stands after m=', at);
    checkFields(line, at);
    if (line.type === 'm') {
      if (sections.length > MAX_STREAMS) throw new SdpParseError(`more than ${MAX_STREAMS} m= lines`, at);
      sections.push([line]);
    } else (sections[sections.length - 1] as SdpLine[]).push(line);
  }
  return finish(sections, origins, '', encoding, { offset: text.length, line: Math.max(1, number) });
}

function finish(
  sections: SdpLine[][],
  origins: number,
  trailer: string,
  encoding: Sdp['encoding'],
  at: { readonly offset: number; readonly line: number },
): Sdp {
  const [session, ...media] = sections.map((lines) => ({ lines }));
  if (session === undefined || session.lines.length === 0) throw new SdpParseError('the body is empty', at);
  if (origins === 0) throw new SdpParseError('there is no o= line', at);
  return { session, media, trailer, encoding };
}

function readLine(text: string, start: number, content: number, end: string, number: number): SdpLine {
  for (let i = start; i < content; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code === 0x0d) {
      const what = code === 0 ? 'NUL' : 'CR without LF';
      throw new SdpParseError(`${what} inside a line`, { offset: i, line: number });
    }
  }
  if (content < start + 2 || text.charCodeAt(start + 1) !== 0x3d || !isLetter(text.charCodeAt(start))) {
    throw new SdpParseError('expected one letter and "="', { offset: start, line: number });
  }
  return { type: text.charAt(start), value: text.slice(start + 2, content), end };
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

function checkFields(line: SdpLine, at: { readonly offset: number; readonly line: number }): void {
  if (line.type === 'o' && parseOrigin(line.value) === undefined) throw new SdpParseError('malformed o= line', at);
  if (line.type === 'c' && parseConnection(line.value) === undefined) throw new SdpParseError('malformed c= line', at);
  if (line.type === 'm' && parseMediaLine(line.value) === undefined) throw new SdpParseError('malformed m= line', at);
  if (line.type === 'v' && at.line !== 1) throw new SdpParseError('a second v= line: one description only', at);
}

function blankTrailer(text: string, start: number, number: number): string {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x0a && code !== 0x0d) {
      throw new SdpParseError('a blank line between lines', { offset: start, line: number });
    }
  }
  return text.slice(start);
}

/** The whole description as text. */
export function sdpText(sdp: Sdp): string {
  let text = '';
  for (const section of [sdp.session, ...sdp.media]) {
    for (const line of section.lines) text += `${line.type}=${line.value}${line.end}`;
  }
  return text + sdp.trailer;
}

/** The bytes of a body: for a parsed and unchanged description exactly those that were parsed. */
export function printSdp(sdp: Sdp): Uint8Array {
  return Buffer.from(sdpText(sdp), sdp.encoding === 'latin1' ? 'latin1' : 'utf8');
}
