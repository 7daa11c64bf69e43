import { type SdpCodec, staticPayloadType } from './attributes.js';
import type { OfferedCodec } from './create.js';
import { closeLines, rejectedSection } from './edit.js';
import type { Sdp, SdpLine, SdpSection } from './lines.js';
import { isRtp, mediaLineOf, mediaSummary, type SdpStream } from './media.js';

/** Formats that carry no conversation: a stream that has only these has no codec. */
const AUXILIARY: ReadonlySet<string> = new Set(['telephone-event', 'cn', 'tone', 'red', 'rtx', 'ulpfec']);

/** Those that protect or repeat other formats, which their `fmtp` names by payload type. */
const ABOUT_OTHERS: ReadonlySet<string> = new Set(['red', 'rtx']);

/** Audio formats of telephony as `a=rtpmap` names them, with the clock rate that they are offered with; two channels where told. */
const KNOWN: readonly (readonly [name: string, clockRate: number, channels?: number])[] = [
  ['PCMU', 8000],
  ['PCMA', 8000],
  ['G722', 8000],
  ['G729', 8000],
  ['opus', 48_000, 2],
  ['GSM', 8000],
  ['GSM-EFR', 8000],
  ['GSM-HR-08', 8000],
  ['G723', 8000],
  ['G7221', 16_000],
  ['G719', 48_000],
  ['G726-16', 8000],
  ['G726-24', 8000],
  ['G726-32', 8000],
  ['G726-40', 8000],
  ['G728', 8000],
  ['G729D', 8000],
  ['G729E', 8000],
  ['G7291', 16_000],
  ['iLBC', 8000],
  ['AMR', 8000],
  ['AMR-WB', 16_000],
  ['EVS', 16_000],
  ['EVRC', 8000],
  ['BV16', 8000],
  ['BV32', 16_000],
  ['speex', 8000],
  ['SILK', 16_000],
  ['LPC', 8000],
  ['DVI4', 8000],
  ['L16', 44_100, 2],
  ['clearmode', 8000],
  ['telephone-event', 8000],
  ['CN', 8000],
  ['tone', 8000],
  ['red', 8000],
  ['rtx', 8000],
  ['ulpfec', 8000],
];

/** The names that `withAudioFormats` may be asked for, as RFCs spell them. */
export const AUDIO_FORMAT_NAMES: readonly string[] = KNOWN.map(([name]) => name);

/** Whether a format carries no conversation: digits, noise, redundancy. */
export function isAuxiliary({ name }: Pick<SdpCodec, 'name'>): boolean {
  return AUXILIARY.has(name.toLowerCase());
}

/**
 * Leaves only the named formats in every audio stream over RTP, in the order in which they stood; `names` in lower case. A static
 * payload type counts by its number where no `a=rtpmap` tells (RFC 3551 §6); redundancy of a format goes with it. A stream that would
 * be left without a codec is refused with port 0 (RFC 3264 §6). All other lines and streams stay as they are, byte for byte.
 */
export function withAudioFormats(sdp: Sdp, names: ReadonlySet<string>): Sdp {
  let changed = false;
  const media = mediaSummary(sdp).map((stream) => {
    const section = isAudio(stream) ? narrowed(stream, names) : stream.section;
    changed ||= section !== stream.section;
    return section;
  });
  return changed ? closeLines({ ...sdp, media }) : sdp;
}

/** Whether a description has an audio stream over RTP that is in use. */
export function hasAudio(sdp: Sdp): boolean {
  return sdp.media.some((section) => isAudio(mediaLineOf(section)));
}

function isAudio(media: { readonly type: string; readonly port: number; readonly protocol: string }): boolean {
  return media.type.toLowerCase() === 'audio' && media.port !== 0 && isRtp(media.protocol);
}

function narrowed({ section, formats, codecs }: SdpStream, names: ReadonlySet<string>): SdpSection {
  const allowed = codecs.filter(({ name }) => names.has(name.toLowerCase()));
  const types = new Set(allowed.map(({ payloadType }) => payloadType));
  const kept = allowed.filter((codec) => refersTo(codec).every((payloadType) => types.has(payloadType)));
  const keptFormats = new Set(kept.map(({ payloadType }) => String(payloadType)));
  const removed = new Set(formats.filter((format) => !keptFormats.has(format)));
  if (removed.size === 0) return section;
  const hadCodec = codecs.length < formats.length || !codecs.every(isAuxiliary);
  if (kept.length === 0 || (hadCodec && kept.every(isAuxiliary))) return rejectedSection(section);
  const [first, ...rest] = section.lines as [SdpLine, ...SdpLine[]];
  const value = first.value
    .split(' ')
    .filter((field, index) => index < 3 || !removed.has(field))
    .join(' ');
  return { lines: [{ ...first, value }, ...rest.filter((line) => !isAbout(line, removed))] };
}

/** The payload types that a format of redundancy or retransmission is about: `101/101` (RFC 2198 §5), `apt=96` (RFC 4588 §8.1). */
function refersTo({ name, fmtp = '' }: SdpCodec): number[] {
  if (!ABOUT_OTHERS.has(name.toLowerCase())) return [];
  const text = fmtp.split(';').find((part) => part.trim().startsWith('apt=')) ?? fmtp;
  const list = text.slice(text.indexOf('=') + 1);
  return list
    .split('/')
    .map((each) => Number(each.trim() || Number.NaN))
    .filter((each) => Number.isInteger(each));
}

const OF_A_FORMAT = ['rtpmap:', 'fmtp:', 'rtcp-fb:'];

function isAbout({ type, value }: SdpLine, formats: ReadonlySet<string>): boolean {
  if (type !== 'a') return false;
  const name = OF_A_FORMAT.find((each) => value.startsWith(each));
  return name !== undefined && formats.has(value.slice(name.length).trimStart().split(' ', 1)[0] ?? '');
}

/** First of the payload types that are given by the description (RFC 3551 §6), and the usual one of digits. */
const FIRST_DYNAMIC = 96;
const TELEPHONE_EVENT = 101;

/** Formats to offer, by name: with their static payload types, or dynamic ones. What cannot stand for itself is left out. */
export function audioFormatsToOffer(names: readonly string[]): OfferedCodec[] {
  let next = FIRST_DYNAMIC;
  const dynamic = (): number => {
    if (next === TELEPHONE_EVENT) next++;
    return next++;
  };
  return KNOWN.filter(([name]) => !ABOUT_OTHERS.has(name) && name !== 'ulpfec')
    .map(([name, clockRate, channels = 1]) => ({
      name,
      clockRate,
      channels,
      place: names.findIndex((each) => each.toLowerCase() === name.toLowerCase()),
    }))
    .filter(({ place }) => place >= 0)
    .sort((a, b) => a.place - b.place)
    .map(({ name, clockRate, channels }) => {
      if (name === 'telephone-event') return { payloadType: TELEPHONE_EVENT, name, clockRate, fmtp: '0-15' };
      return { payloadType: staticPayloadType({ name, clockRate, channels }) ?? dynamic(), name, clockRate, channels };
    });
}
