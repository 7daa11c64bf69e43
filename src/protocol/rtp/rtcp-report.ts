import type { NtpTime } from './ntp.js';
import { MOST_ITEMS, RTCP_TYPE, type RtcpBlock, rtcpPacket } from './rtcp-block.js';
import { setWord, word } from './words.js';

/** How well a source is received: the part of a reception report that a receiver's statistics give (RFC 3550 §6.4.1). */
export interface ReceptionQuality {
  /** The source that is reported on. */
  readonly ssrc: number;
  /** Lost since the last report, in 1/256: 0 to 255. */
  readonly fractionLost: number;
  /** Packets lost since the beginning, less duplicates: −2²³ to 2²³ − 1. */
  readonly cumulativeLost: number;
  /** The highest sequence number, with the count of its cycles in the high 16 bits. */
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
}

/** A reception report block (RFC 3550 §6.4.1). */
export interface ReportBlock extends ReceptionQuality {
  /** The middle 32 bits of the NTP time of the last sender report from that source; 0: none has come. */
  readonly lastSenderReport: number;
  /** From then to this report, in 1/65536 s; 0: none has come. */
  readonly delaySinceLast: number;
}

export interface SenderReport {
  readonly kind: 'sr';
  readonly ssrc: number;
  /** When it was sent, by the sender's wall clock; 0 and 0: it has none. */
  readonly ntp: NtpTime;
  /** The same moment on the clock of the stream. */
  readonly rtpTimestamp: number;
  /** Packets sent, modulo 2³². */
  readonly packets: number;
  /** Payload bytes sent, headers and padding left out, modulo 2³². */
  readonly octets: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly kind: 'rr';
  readonly ssrc: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

const SENDER_BYTES = 24;
const REPORT_BYTES = 24;

/*
 * |                         SSRC of sender                        |
 * |              NTP timestamp, most significant word             |  sender
 * |             NTP timestamp, least significant word             |  reports
 * |                         RTP timestamp                         |  only
 * |        packet count           |        octet count            |  (a word each)
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |                          SSRC of source                       |  for each
 * | fraction lost |       cumulative number of packets lost       |  source
 * |           extended highest sequence number received           |
 * |                      interarrival jitter                      |
 * |                         last SR (LSR)                         |
 * |                   delay since last SR (DLSR)                  |
 * then profile-specific extensions
 */

/** Undefined when the reports do not fit. What a profile adds behind them is passed over. */
export function readReport({ type, count, body }: RtcpBlock): SenderReport | ReceiverReport | undefined {
  const sender = type === RTCP_TYPE.sr;
  const at = sender ? SENDER_BYTES : 4;
  if (at + count * REPORT_BYTES > body.length) return undefined;
  const ssrc = word(body, 0);
  const reports = Array.from({ length: count }, (_, i) => readBlock(body, at + i * REPORT_BYTES));
  if (!sender) return { kind: 'rr', ssrc, reports };
  const ntp = { seconds: word(body, 4), fraction: word(body, 8) };
  return {
    kind: 'sr',
    ssrc,
    ntp,
    rtpTimestamp: word(body, 12),
    packets: word(body, 16),
    octets: word(body, 20),
    reports,
  };
}

/** Of more than 31 reports the first ones are written. */
export function writeReport(report: SenderReport | ReceiverReport): Uint8Array {
  const reports = report.reports.slice(0, MOST_ITEMS);
  const at = report.kind === 'sr' ? SENDER_BYTES : 4;
  const body = new Uint8Array(at + reports.length * REPORT_BYTES);
  setWord(body, 0, report.ssrc);
  if (report.kind === 'sr') {
    setWord(body, 4, report.ntp.seconds);
    setWord(body, 8, report.ntp.fraction);
    setWord(body, 12, report.rtpTimestamp);
    setWord(body, 16, report.packets);
    setWord(body, 20, report.octets);
  }
  reports.forEach((block, i) => writeBlock(body, at + i * REPORT_BYTES, block));
  return rtcpPacket(RTCP_TYPE[report.kind], reports.length, body);
}

function readBlock(body: Uint8Array, at: number): ReportBlock {
  const loss = word(body, at + 4);
  return {
    ssrc: word(body, at),
    fractionLost: loss >>> 24,
    // 24 bits with a sign.
    cumulativeLost: (loss << 8) >> 8,
    highestSequence: word(body, at + 8),
    jitter: word(body, at + 12),
    lastSenderReport: word(body, at + 16),
    delaySinceLast: word(body, at + 20),
  };
}

function writeBlock(body: Uint8Array, at: number, block: ReportBlock): void {
  setWord(body, at, block.ssrc);
  setWord(body, at + 4, (block.fractionLost << 24) | (block.cumulativeLost & 0xffffff));
  setWord(body, at + 8, block.highestSequence);
  setWord(body, at + 12, block.jitter);
  setWord(body, at + 16, block.lastSenderReport);
  setWord(body, at + 20, block.delaySinceLast);
}
