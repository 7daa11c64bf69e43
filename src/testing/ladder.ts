import { type MediaSighting, type Sighting, type SipSighting, sightings } from './sightings.js';
import type { Trace } from './trace.js';

export interface LadderOptions {
  /** Host names in the wished order; others follow as they appear. Hosts that neither send nor receive are left out. */
  readonly columns?: readonly string[];
  /** Only the messages of this Call-ID. */
  readonly callId?: string;
  /** Whether runs of RTP are shown. Default true. */
  readonly media?: boolean;
}

const TIME_WIDTH = 10;
const SHORTEST_LANE = 18;
/** What a peer wrote into a CSeq or a start line is shown up to here. */
const LONGEST_PART = 32;

/**
 * A call-flow diagram as text: a column for each host, an arrow for each SIP message with its CSeq, a letter for its
 * Call-ID and how long it was under way. `✗` ends an arrow that did not arrive.
 */
export function formatLadder(trace: Trace, options: LadderOptions = {}): string {
  const shown = sightings(trace).filter((sighting) =>
    sighting.kind === 'media'
      ? options.media !== false && options.callId === undefined
      : options.callId === undefined || sighting.callId === options.callId,
  );
  if (shown.length === 0) return '(no SIP message was sent)';
  const lanes = lanesOf(shown, options.columns ?? []);
  const calls = letters(shown);
  const longest = Math.max(...shown.map((sighting) => labelOf(sighting).length));
  const laneWidth = Math.max(SHORTEST_LANE, longest + 6, ...lanes.map((lane) => lane.length + 2));
  const left = TIME_WIDTH + 2 + ((lanes[0] as string).length >> 1);
  const center = (name: string): number => left + lanes.indexOf(name) * laneWidth;
  const width = center(lanes.at(-1) as string) + 1;
  const lines = [
    placed(
      width,
      lanes.map((lane) => [center(lane) - (lane.length >> 1), lane]),
    ),
  ];
  const emptyRow = placed(
    width,
    lanes.map((lane) => [center(lane), '│']),
  );
  lines.push(emptyRow);
  for (const sighting of shown) {
    const row = drawArrow(emptyRow, center(sighting.fromHost), center(laneOf(sighting)), sighting);
    const time = (sighting.at / 1000).toFixed(3).padStart(TIME_WIDTH - 1);
    lines.push(`${time}${row.slice(time.length)}  ${noteOf(sighting, calls)}`.trimEnd());
  }
  lines.push(emptyRow, '', ...[...calls].map(([callId, letter]) => `${letter} = ${callId}`));
  return lines.map((line) => line.trimEnd()).join('\n');
}

function drawArrow(row: string, from: number, to: number, sighting: Sighting): string {
  const chars = [...row];
  const label = labelOf(sighting);
  const arrived = sighting.kind === 'media' ? sighting.missing < sighting.packets : sighting.arrivedAt !== undefined;
  const underWay = sighting.kind === 'sip' && sighting.fate === 'in flight';
  if (from === to) return overwrite(chars, from + 1, `↻ ${label}`);
  const right = to > from;
  // The arrow lives between the two lines and may cross others.
  const [low, high] = right ? [from + 1, to - 1] : [to + 1, from - 1];
  const shaft = sighting.kind === 'media' ? '·' : '─';
  for (let i = low; i <= high; i++) chars[i] = shaft;
  chars[right ? high : low] = arrived ? (right ? '▶' : '◀') : underWay ? '?' : '✗';
  return overwrite(chars, low + Math.max(1, Math.floor((high - low + 1 - label.length) / 2)), label);
}

function overwrite(chars: string[], at: number, text: string): string {
  [...text].forEach((char, i) => {
    chars[at + i] = char;
  });
  return chars.join('');
}

function labelOf(sighting: Sighting): string {
  if (sighting.kind === 'media') return `RTP ×${sighting.packets}`;
  const [sequence = '', method = ''] = sighting.cseq.split(' ');
  const cseq = sighting.method === undefined ? `${sequence} ${method}` : sequence;
  return `${sighting.title.slice(0, LONGEST_PART)} (${cseq.slice(0, LONGEST_PART)})${sighting.hasSdp ? ' sdp' : ''}`;
}

function noteOf(sighting: Sighting, calls: ReadonlyMap<string, string>): string {
  return sighting.kind === 'media' ? mediaNote(sighting) : sipNote(sighting, calls);
}

function mediaNote(sighting: MediaSighting): string {
  return sighting.missing === 0 ? '' : `${sighting.missing} did not arrive`;
}

function sipNote(sighting: SipSighting, calls: ReadonlyMap<string, string>): string {
  const late = sighting.arrivedAt === undefined ? sighting.fate : `+${trimZeros(sighting.arrivedAt - sighting.at)} ms`;
  const parts = [calls.get(sighting.callId) ?? '-', late];
  if (sighting.protocol !== 'udp') parts.push(sighting.protocol);
  if (sighting.again) parts.push('again');
  if (sighting.toHost === undefined) parts.push(`to ${sighting.to}`);
  return parts.join('  ');
}

function trimZeros(ms: number): string {
  return String(Math.round(ms * 10) / 10);
}

function laneOf(sighting: Sighting): string {
  return sighting.toHost ?? sighting.to;
}

function lanesOf(shown: readonly Sighting[], wished: readonly string[]): readonly string[] {
  const used = new Set(shown.flatMap((sighting) => [sighting.fromHost, laneOf(sighting)]));
  return [...wished.filter((name) => used.has(name)), ...[...used].filter((name) => !wished.includes(name))];
}

/** A, B, … Z, A1, B1, … by order of appearance. */
function letters(shown: readonly Sighting[]): ReadonlyMap<string, string> {
  const calls = new Map<string, string>();
  for (const sighting of shown) {
    if (sighting.kind !== 'sip' || calls.has(sighting.callId)) continue;
    const round = Math.floor(calls.size / 26);
    calls.set(sighting.callId, String.fromCharCode(65 + (calls.size % 26)) + (round === 0 ? '' : String(round)));
  }
  return calls;
}

function placed(width: number, texts: readonly (readonly [number, string])[]): string {
  const chars = new Array<string>(width).fill(' ');
  for (const [at, text] of texts) overwrite(chars, Math.max(0, at), text);
  return chars.join('');
}
