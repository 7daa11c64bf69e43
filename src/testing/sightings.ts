import type { Millis } from '../base/clock.js';
import { formatAddress } from '../base/ip.js';
import type { Fate, Trace, TraceEntry } from './trace.js';

/** A SIP message as it was seen on the wire. */
export interface SipSighting {
  readonly kind: 'sip';
  readonly at: Millis;
  /** When the last of it arrived; undefined if it never did. */
  readonly arrivedAt: Millis | undefined;
  readonly protocol: 'udp' | 'tcp';
  readonly fate: Fate;
  readonly fromHost: string;
  /** Undefined when it was sent to an address that nobody has; `to` then tells which. */
  readonly toHost: string | undefined;
  readonly to: string;
  /** The whole message. */
  readonly text: string;
  /** `INVITE` or `180 Ringing`. */
  readonly title: string;
  /** Of a request; undefined for a response. */
  readonly method: string | undefined;
  /** Of a response; undefined for a request. */
  readonly status: number | undefined;
  readonly callId: string;
  /** As it stands in the message: `1 INVITE`. */
  readonly cseq: string;
  readonly hasSdp: boolean;
  /** The same bytes went the same way before: a retransmission, or the second copy of a duplicated datagram. */
  readonly again: boolean;
}

/** RTP and RTCP packets from one host to another, between two SIP messages. */
export interface MediaSighting {
  readonly kind: 'media';
  readonly at: Millis;
  readonly fromHost: string;
  readonly toHost: string | undefined;
  readonly to: string;
  packets: number;
  /** Those of `packets` that did not arrive. */
  missing: number;
}

export type Sighting = SipSighting | MediaSighting;

/**
 * What a trace shows, in order of sending: SIP messages one by one, media in runs. Reads the wire with its own eyes,
 * not with pbxkit's parser: a witness must not share the faults of what it watches.
 */
export function sightings(trace: Trace): readonly Sighting[] {
  const found: Sighting[] = [];
  const seen = new Set<string>();
  const streams = new StreamReader(trace);
  let media = new Map<string, MediaSighting>();
  for (const entry of trace.entries) {
    if (entry.protocol === 'udp' && isMedia(entry.data)) {
      const key = `${entry.fromHost} ${entry.toHost ?? entry.to.address}`;
      let run = media.get(key);
      if (run === undefined) {
        run = { kind: 'media', at: entry.sentAt, ...ends(entry), packets: 0, missing: 0 };
        media.set(key, run);
        found.push(run);
      }
      run.packets++;
      if (entry.fate !== 'delivered' && entry.fate !== 'in flight') run.missing++;
      continue;
    }
    const texts = entry.protocol === 'udp' ? [latin1(entry.data)] : streams.read(entry);
    for (const text of texts) {
      const sighting = sipSighting(entry, text, seen, streams);
      if (sighting === undefined) continue;
      found.push(sighting);
      media = new Map();
    }
  }
  return found;
}

/** The SIP messages alone. */
export function sipSightings(trace: Trace): readonly SipSighting[] {
  return sightings(trace).filter((sighting) => sighting.kind === 'sip');
}

function sipSighting(
  entry: TraceEntry,
  text: string,
  seen: Set<string>,
  streams: StreamReader,
): SipSighting | undefined {
  const start = startLine(text);
  if (start === undefined) return undefined;
  const key = `${entry.fromHost} ${formatAddress(entry.to)} ${text}`;
  const again = seen.has(key);
  seen.add(key);
  const arrivedAt =
    entry.protocol === 'tcp' ? streams.arrival(entry) : entry.fate === 'delivered' ? entry.settledAt : undefined;
  return {
    kind: 'sip',
    at: entry.sentAt,
    arrivedAt,
    protocol: entry.protocol,
    fate: arrivedAt === undefined ? entry.fate : 'delivered',
    ...ends(entry),
    text,
    ...start,
    callId: header(text, 'call-id', 'i'),
    cseq: header(text, 'cseq', 'cseq'),
    hasSdp: header(text, 'content-type', 'c').toLowerCase().startsWith('application/sdp'),
    again,
  };
}

/** Puts the segments of TCP connections together and cuts SIP messages out of them. */
class StreamReader {
  readonly #buffers = new Map<string, string>();
  /** When a segment first arrived, by direction and sequence. */
  readonly #arrivals = new Map<string, Millis>();

  constructor(trace: Trace) {
    for (const entry of trace.entries) {
      if (entry.segment?.kind !== 'data' || entry.fate !== 'delivered' || entry.settledAt === undefined) continue;
      this.#arrivals.set(segmentKey(entry), entry.settledAt);
    }
  }

  /** The messages that this segment completes. */
  read(entry: TraceEntry): readonly string[] {
    const { segment } = entry;
    if (segment === undefined || segment.attempt > 0) return [];
    const key = directionKey(entry);
    if (segment.kind !== 'data') {
      this.#buffers.delete(key);
      return [];
    }
    let buffer = (this.#buffers.get(key) ?? '') + latin1(entry.data);
    const messages: string[] = [];
    for (;;) {
      let skip = 0;
      while (buffer.startsWith('\r\n', skip)) skip += 2; // keep-alives (RFC 5626 §3.5.1)
      buffer = buffer.slice(skip);
      const headerEnd = buffer.indexOf('\r\n\r\n');
      if (headerEnd < 0) break;
      const length = headerEnd + 4 + bodyLength(header(buffer, 'content-length', 'l'));
      if (buffer.length < length) break;
      messages.push(buffer.slice(0, length));
      buffer = buffer.slice(length);
    }
    this.#buffers.set(key, buffer);
    return messages;
  }

  arrival(entry: TraceEntry): Millis | undefined {
    return this.#arrivals.get(segmentKey(entry));
  }
}

function directionKey(entry: TraceEntry): string {
  return `${entry.fromHost} ${formatAddress(entry.from)} ${formatAddress(entry.to)}`;
}

function segmentKey(entry: TraceEntry): string {
  return `${directionKey(entry)} ${entry.segment?.sequence}`;
}

function ends(entry: TraceEntry): {
  readonly fromHost: string;
  readonly toHost: string | undefined;
  readonly to: string;
} {
  return { fromHost: entry.fromHost, toHost: entry.toHost, to: formatAddress(entry.to) };
}

function startLine(
  text: string,
): { readonly title: string; readonly method: string | undefined; readonly status: number | undefined } | undefined {
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const line = text.slice(0, lineEnd);
  if (line.startsWith('SIP/2.0 ')) {
    const title = line.slice(8);
    return { title, method: undefined, status: Number.parseInt(title, 10) };
  }
  if (!line.endsWith(' SIP/2.0')) return undefined;
  const method = line.slice(0, line.indexOf(' '));
  return { title: method, method, status: undefined };
}

/** The first value of a header by its long or compact name, in lower case; '' if there is none. */
function header(text: string, name: string, compact: string): string {
  for (const line of text.split('\r\n')) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const found = line.slice(0, colon).trim().toLowerCase();
    if (found === name || found === compact) return line.slice(colon + 1).trim();
  }
  return '';
}

/** What is no number of octets, such as -1, counts as no body: what hostile peers send is shown too. */
function bodyLength(text: string): number {
  const length = Number(text);
  return Number.isSafeInteger(length) && length > 0 ? length : 0;
}

/** RTP version 2, by the first two bits (RFC 3550 §5.1); SIP begins with a letter, STUN with 00. */
function isMedia(data: Uint8Array): boolean {
  return data.length >= 8 && ((data[0] as number) & 0xc0) === 0x80;
}

function latin1(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
}
