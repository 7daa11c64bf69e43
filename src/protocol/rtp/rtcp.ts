import { UsageError } from '../../base/errors.js';
import { RTCP_TYPE, type RtcpBlock, rtcpPacket } from './rtcp-block.js';
import { type Goodbye, readBye, writeBye } from './rtcp-bye.js';
import { type ReceiverReport, readReport, type SenderReport, writeReport } from './rtcp-report.js';
import { readSdes, type SourceDescription, writeSdes } from './rtcp-sdes.js';

/** What is passed on as it is: APP, feedback (RFC 4585) and extended reports (RFC 3611). */
export interface OtherRtcp extends RtcpBlock {
  readonly kind: 'other';
  /** 204 to 207. */
  readonly type: number;
}

/** One packet of a compound RTCP packet. */
export type RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye | OtherRtcp;

/**
 * Reads a compound RTCP packet (RFC 3550 §6.1) as strictly as §A.2 asks: version 2 throughout, a report first, padding on the last packet
 * only, lengths that add up. Types that we do not know are passed over. Undefined for everything else: a bad packet is dropped whole.
 */
export function readRtcp(data: Uint8Array): RtcpPacket[] | undefined {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < data.length) {
    const block = blockAt(data, at);
    if (block === undefined) return undefined;
    if (at === 0 && block.type !== RTCP_TYPE.sr && block.type !== RTCP_TYPE.rr) return undefined;
    const packet = readPacket(block);
    if (packet === undefined) return undefined;
    if (packet !== 'unknown') packets.push(packet);
    at = block.end;
  }
  return at === 0 ? undefined : packets;
}

/**
 * Writes a compound RTCP packet.
 * @throws UsageError (PBX_INVALID_ARGUMENT) when it does not begin with a report (RFC 3550 §6.1), or a part does not fit its fields
 */
export function writeRtcp(packets: readonly RtcpPacket[]): Uint8Array {
  const first = packets[0]?.kind;
  if (first !== 'sr' && first !== 'rr') {
    throw new UsageError('PBX_INVALID_ARGUMENT', `RTCP: found ${first ?? 'nothing'} first, expected an SR or RR`);
  }
  return Buffer.concat(packets.map(writePacket));
}

/*
 * |V=2|P|  count  |  packet type  |    length in words, less one  |
 */
function blockAt(data: Uint8Array, at: number): (RtcpBlock & { readonly end: number }) | undefined {
  if (at + 4 > data.length || ((data[at] as number) & 0xc0) !== 0x80) return undefined;
  const end = at + 4 + 4 * (((data[at + 2] as number) << 8) | (data[at + 3] as number));
  if (end > data.length) return undefined;
  const padded = ((data[at] as number) & 0x20) !== 0;
  const padding = padded ? (data[end - 1] as number) : 0;
  const fits = padding % 4 === 0 && padding <= end - at - 4 && (padding > 0 || !padded);
  if (!fits || (padded && end !== data.length)) return undefined;
  const count = (data[at] as number) & 0x1f;
  return { type: data[at + 1] as number, count, body: data.subarray(at + 4, end - padding), end };
}

function readPacket(block: RtcpBlock): RtcpPacket | 'unknown' | undefined {
  const { type, count, body } = block;
  switch (type) {
    case RTCP_TYPE.sr:
    case RTCP_TYPE.rr:
      return readReport(block);
    case RTCP_TYPE.sdes:
      return readSdes(block);
    case RTCP_TYPE.bye:
      return readBye(block);
    case RTCP_TYPE.app:
    case RTCP_TYPE.rtpfb:
    case RTCP_TYPE.psfb:
    case RTCP_TYPE.xr:
      return { kind: 'other', type, count, body };
    default:
      return 'unknown';
  }
}

function writePacket(packet: RtcpPacket): Uint8Array {
  switch (packet.kind) {
    case 'sr':
    case 'rr':
      return writeReport(packet);
    case 'sdes':
      return writeSdes(packet);
    case 'bye':
      return writeBye(packet);
    case 'other':
      return rtcpPacket(packet.type, packet.count, packet.body);
  }
}
