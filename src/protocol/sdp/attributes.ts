import { decimal } from './fields.js';
import type { SdpSection } from './lines.js';

/** An `a=` line: a property (`a=sendonly`) or a value (`a=ptime:20`). RFC 8866 §5.13 */
export interface SdpAttribute {
  readonly name: string;
  readonly value?: string;
}

/** One RTP format of a stream: from `a=rtpmap`, or from RFC 3551 table 4 and 5 for a static payload type without one. */
export interface SdpCodec {
  /** 0 to 127. */
  readonly payloadType: number;
  /** In the sender's spelling; compare without regard to case. */
  readonly name: string;
  /** Hz. Mind that G722 says 8000 (RFC 3551 §4.5.2). */
  readonly clockRate: number;
  readonly channels: number;
  /** The parameters of `a=fmtp`, without the payload type. */
  readonly fmtp?: string;
}

const STATIC_CODECS: readonly (readonly [payloadType: number, name: string, clockRate: number, channels?: number])[] = [
  [0, 'PCMU', 8000],
  [3, 'GSM', 8000],
  [4, 'G723', 8000],
  [5, 'DVI4', 8000],
  [6, 'DVI4', 16000],
  [7, 'LPC', 8000],
  [8, 'PCMA', 8000],
  [9, 'G722', 8000],
  [10, 'L16', 44100, 2],
  [11, 'L16', 44100],
  [12, 'QCELP', 8000],
  [13, 'CN', 8000],
  [14, 'MPA', 90000],
  [15, 'G728', 8000],
  [16, 'DVI4', 11025],
  [17, 'DVI4', 22050],
  [18, 'G729', 8000],
  [25, 'CelB', 90000],
  [26, 'JPEG', 90000],
  [28, 'nv', 90000],
  [31, 'H261', 90000],
  [32, 'MPV', 90000],
  [33, 'MP2T', 90000],
  [34, 'H263', 90000],
];

/** Every attribute of a section, in order. */
export function attributesOf(section: SdpSection): SdpAttribute[] {
  const attributes: SdpAttribute[] = [];
  for (const line of section.lines) if (line.type === 'a') attributes.push(parseAttribute(line.value));
  return attributes;
}

/** Splits the value of an `a=` line. */
export function parseAttribute(text: string): SdpAttribute {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** The value of the first attribute of that name: '' for a property, undefined when absent. Names are case-sensitive (§5.13). */
export function attribute(section: SdpSection, name: string): string | undefined {
  for (const line of section.lines) {
    if (line.type !== 'a' || !line.value.startsWith(name)) continue;
    if (line.value.length === name.length) return '';
    if (line.value.charAt(name.length) === ':') return line.value.slice(name.length + 1);
  }
  return undefined;
}

/** A positive number of milliseconds from `a=ptime` or `a=maxptime`; undefined when absent or malformed. */
export function millisecondsAttribute(section: SdpSection, name: 'ptime' | 'maxptime'): number | undefined {
  const text = attribute(section, name)?.trim();
  if (text === undefined) return undefined;
  const value = decimal(text, 10_000);
  return value === undefined || value === 0 ? undefined : value;
}

/** The codecs of an RTP stream in the order of its `m=` line; what cannot be understood is left out. */
export function codecsOf(section: SdpSection, formats: readonly string[]): SdpCodec[] {
  const maps = new Map<number, Omit<SdpCodec, 'payloadType' | 'fmtp'>>();
  const parameters = new Map<number, string>();
  for (const { name, value } of attributesOf(section)) {
    if (value === undefined || (name !== 'rtpmap' && name !== 'fmtp')) continue;
    const space = value.indexOf(' ');
    const payloadType = space < 0 ? undefined : decimal(value.slice(0, space), 127);
    if (payloadType === undefined) continue;
    const rest = value.slice(space + 1).trim();
    if (name === 'fmtp') parameters.set(payloadType, rest);
    else {
      const map = parseEncoding(rest);
      if (map !== undefined) maps.set(payloadType, map);
    }
  }
  const codecs: SdpCodec[] = [];
  for (const format of formats) {
    const payloadType = decimal(format, 127);
    const map = payloadType === undefined ? undefined : (maps.get(payloadType) ?? staticCodec(payloadType));
    if (payloadType === undefined || map === undefined) continue;
    const fmtp = parameters.get(payloadType);
    codecs.push({ payloadType, ...map, ...(fmtp === undefined ? {} : { fmtp }) });
  }
  return codecs;
}

function parseEncoding(text: string): Omit<SdpCodec, 'payloadType' | 'fmtp'> | undefined {
  const [name, rate, count, ...more] = text.split('/');
  if (name === undefined || name === '' || rate === undefined || more.length > 0) return undefined;
  const clockRate = decimal(rate, 10_000_000);
  const channels = count === undefined ? 1 : decimal(count, 255);
  if (clockRate === undefined || clockRate === 0 || channels === undefined || channels === 0) return undefined;
  return { name, clockRate, channels };
}

function staticCodec(payloadType: number): Omit<SdpCodec, 'payloadType' | 'fmtp'> | undefined {
  const entry = STATIC_CODECS.find(([type]) => type === payloadType);
  return entry === undefined ? undefined : { name: entry[1], clockRate: entry[2], channels: entry[3] ?? 1 };
}

/** The payload type that RFC 3551 gives to a codec; undefined for one whose payload type each description chooses. */
export function staticPayloadType({
  name,
  clockRate,
  channels,
}: Omit<SdpCodec, 'payloadType' | 'fmtp'>): number | undefined {
  return STATIC_CODECS.find((each) => each[1] === name && each[2] === clockRate && (each[3] ?? 1) === channels)?.[0];
}

/** Whether two formats are the same codec; parameters (`fmtp`) are not looked at. */
export function sameCodec(
  a: Pick<SdpCodec, 'name' | 'clockRate'> & { readonly channels?: number },
  b: Pick<SdpCodec, 'name' | 'clockRate'> & { readonly channels?: number },
): boolean {
  return (
    a.clockRate === b.clockRate &&
    (a.channels ?? 1) === (b.channels ?? 1) &&
    a.name.toLowerCase() === b.name.toLowerCase()
  );
}
