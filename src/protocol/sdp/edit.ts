import { isDirection, type SdpDirection } from './direction.js';
import {
  connectionTo,
  formatConnection,
  formatMediaLine,
  formatOrigin,
  type SdpConnection,
  type SdpMediaLine,
  type SdpOrigin,
} from './fields.js';
import type { Sdp, SdpLine, SdpSection } from './lines.js';
import { sdpText } from './lines.js';
import { mediaLineOf, originOf } from './media.js';

/** Sets the direction of the stream at `index`, or of every stream; a session-level direction is written out into the streams. */
export function withDirection(sdp: Sdp, direction: SdpDirection, index?: number): Sdp {
  const inherited = sdp.session.lines.find(isDirectionLine)?.value;
  const end = lineEnd(sdp);
  const media = sdp.media.map((section, i) => {
    if (index === undefined || i === index) return sectionDirection(section, direction, end);
    if (inherited === undefined || section.lines.some(isDirectionLine)) return section;
    return sectionDirection(section, inherited, end);
  });
  const session = { lines: sdp.session.lines.filter((line) => !isDirectionLine(line)) };
  return closeLines({ ...sdp, session: media.length === 0 ? sdp.session : session, media });
}

function isDirectionLine(line: SdpLine): boolean {
  return line.type === 'a' && isDirection(line.value);
}

function sectionDirection(section: SdpSection, direction: string, end: string): SdpSection {
  const place = section.lines.findIndex(isDirectionLine);
  const lines = section.lines.filter((line, i) => i === place || !isDirectionLine(line));
  if (place < 0) lines.push({ type: 'a', value: direction, end });
  else lines[place] = { ...(lines[place] as SdpLine), value: direction };
  return { lines };
}

/** Replaces the `o=` line. */
export function withOrigin(sdp: Sdp, origin: SdpOrigin): Sdp {
  const value = formatOrigin(origin);
  const lines = sdp.session.lines.map((line) => (line.type === 'o' ? { ...line, value } : line));
  return { ...sdp, session: { lines } };
}

/** The same description with the version of its `o=` line one higher (RFC 3264 §8). */
export function bumpVersion(sdp: Sdp): Sdp {
  const origin = originOf(sdp);
  return withOrigin(sdp, { ...origin, version: nextVersion(origin.version) });
}

function nextVersion(version: string): string {
  return (BigInt(version) + 1n).toString();
}

/**
 * Gives `next` the `o=` line that it must have when the same party sent `previous` before (RFC 3264 §8): the same line if
 * nothing else differs, otherwise with the version one higher.
 */
export function continueFrom(next: Sdp, previous: Sdp): Sdp {
  const origin = originOf(previous);
  const same = withOrigin(next, origin);
  if (sdpText(same) === sdpText(previous)) return same;
  return withOrigin(next, { ...origin, version: nextVersion(origin.version) });
}

/** Whether two descriptions say the same, the `o=` line apart. */
export function sameDescription(a: Sdp, b: Sdp): boolean {
  return a === b || sdpText(withOrigin(a, originOf(b))) === sdpText(b);
}

/** Points the stream at `index` to an address, or the whole description: then the `c=` lines of all its streams give way to one. */
export function withConnection(sdp: Sdp, where: string | SdpConnection, index?: number): Sdp {
  const value = formatConnection(typeof where === 'string' ? connectionTo(where) : where);
  const line = { type: 'c', value, end: lineEnd(sdp) };
  if (index !== undefined) {
    return changeMedia(sdp, index, (section) => ({ lines: putConnection(section.lines, line, 'mi') }));
  }
  const media = sdp.media.map((section) => ({ lines: section.lines.filter((own) => own.type !== 'c') }));
  return closeLines({ ...sdp, session: { lines: putConnection(sdp.session.lines, line, 'vosiuep') }, media });
}

/** In the place of the first `c=`, else behind the last line of the types that precede it in RFC 8866 §5. */
function putConnection(lines: readonly SdpLine[], line: SdpLine, precede: string): SdpLine[] {
  const place = lines.findIndex((own) => own.type === 'c');
  if (place >= 0) {
    const end = (lines[place] as SdpLine).end;
    return lines.flatMap((own, i) => (i === place ? [{ ...line, end }] : own.type === 'c' ? [] : [own]));
  }
  let after = 0;
  while (after < lines.length && precede.includes((lines[after] as SdpLine).type)) after++;
  return [...lines.slice(0, after), line, ...lines.slice(after)];
}

/** Changes fields of the `m=` line at `index`: port, formats, protocol. */
export function withMediaLine(sdp: Sdp, index: number, changes: Partial<SdpMediaLine>): Sdp {
  return changeMedia(sdp, index, (section) => {
    const [first, ...rest] = section.lines as [SdpLine, ...SdpLine[]];
    return { lines: [{ ...first, value: formatMediaLine({ ...mediaLineOf(section), ...changes }) }, ...rest] };
  });
}

/** Refuses or removes a stream: port 0, its attributes gone (RFC 3264 §6, §8.2). */
export function rejectMedia(sdp: Sdp, index: number): Sdp {
  return changeMedia(sdp, index, (section) => rejectedSection(section));
}

/** A stream as it stands in an answer that refuses it, or in a later offer: only its `m=` line, with port 0. */
export function rejectedSection(section: SdpSection): SdpSection {
  const media = mediaLineOf(section);
  const formats = media.formats.length === 0 ? ['0'] : media.formats;
  const first = section.lines[0] as SdpLine;
  return { lines: [{ ...first, value: formatMediaLine({ ...media, port: 0, portCount: 1, formats }) }] };
}

/**
 * Makes a description that may follow `previous` as an offer of the same party: where it has fewer streams, the missing ones
 * are added with port 0, because the number of `m=` lines never shrinks (RFC 3264 §8).
 */
export function padMedia(next: Sdp, previous: Sdp): Sdp {
  if (next.media.length >= previous.media.length) return next;
  const end = lineEnd(next);
  const missing = previous.media.slice(next.media.length).map((section) => {
    const { lines } = rejectedSection(section);
    return { lines: lines.map((line) => ({ ...line, end })) };
  });
  return closeLines({ ...next, media: [...next.media, ...missing] });
}

/** Sets an attribute of the stream at `index` (in place of the first of its name, else at the end); `undefined` removes it. */
export function withAttribute(sdp: Sdp, index: number, name: string, value: string | undefined): Sdp {
  const end = lineEnd(sdp);
  return changeMedia(sdp, index, (section) => {
    const isIt = (line: SdpLine): boolean =>
      line.type === 'a' && (line.value === name || line.value.startsWith(`${name}:`));
    const place = section.lines.findIndex(isIt);
    const lines = section.lines.filter((line, i) => !isIt(line) || (i === place && value !== undefined));
    if (value === undefined) return { lines };
    const text = value === '' ? name : `${name}:${value}`;
    if (place < 0) lines.push({ type: 'a', value: text, end });
    else lines[place] = { ...(lines[place] as SdpLine), value: text };
    return { lines };
  });
}

function changeMedia(sdp: Sdp, index: number, change: (section: SdpSection) => SdpSection): Sdp {
  return closeLines({ ...sdp, media: sdp.media.map((section, i) => (i === index ? change(section) : section)) });
}

/** The line end that the description uses. */
function lineEnd(sdp: Sdp): string {
  return sdp.session.lines[0]?.end === '\n' ? '\n' : '\r\n';
}

/** A last line without an end may have got company: every line but the last gets one. */
export function closeLines(sdp: Sdp): Sdp {
  const all = [sdp.session, ...sdp.media];
  const open = all.some((section, i) =>
    section.lines.some((line, k) => line.end === '' && !(i === all.length - 1 && k === section.lines.length - 1)),
  );
  if (!open) return sdp;
  const end = lineEnd(sdp);
  const close = (section: SdpSection): SdpSection => ({
    lines: section.lines.map((line) => (line.end === '' ? { ...line, end } : line)),
  });
  return { ...sdp, session: close(sdp.session), media: sdp.media.map(close) };
}
