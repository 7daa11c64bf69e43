import type { Millis } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';
import { compactNtp, delaySinceLast, ntpTime, roundTripMs } from '../../protocol/rtp/ntp.js';
import { type RtcpPacket, readRtcp, writeRtcp } from '../../protocol/rtp/rtcp.js';
import { averageRtcpSize, rtcpInterval } from '../../protocol/rtp/rtcp-interval.js';
import type { ReportBlock } from '../../protocol/rtp/rtcp-report.js';
import { CNAME } from '../../protocol/rtp/rtcp-sdes.js';
import type { AudioReceiver } from './audio-receiver.js';
import type { AudioSender } from './audio-sender.js';

export interface RtcpReporterOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly sender: AudioSender;
  readonly receiver: AudioReceiver;
  /** RFC 3550 §6.5.1: the same for all streams of one endpoint, and nothing that tells who it is (RFC 7022). */
  readonly cname: string;
  readonly send: (packet: Uint8Array) => void;
}

/** 5 % of a call of 64 kbit/s with its headers, both ways, in bytes a second. */
const BANDWIDTH = 1000;
const UDP_AND_IP_BYTES = 28;
/** Jumbo frames have room for it; a full datagram would be thousands of reports. */
const LONGEST_PACKET = 9_000;
const FIRST_AVERAGE = 100;
/** Resolution of the random spread. */
const STEPS = 1 << 16;

/** The reports of one session about what it sends and hears (RFC 3550 §6): SR or RR with SDES at their intervals, BYE at the end. */
export class RtcpReporter {
  readonly #options: RtcpReporterOptions;
  #average = FIRST_AVERAGE;
  #initial = true;
  #sentBefore = 0;
  #lastSenderReport = 0;
  #lastSenderReportAt: Millis = 0;
  #roundTripMs: number | undefined;
  #bad = 0;
  #cancel: Cancel | undefined;

  constructor(options: RtcpReporterOptions) {
    this.#options = options;
  }

  /** As the peer's last report shows it; undefined before. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Packets that are no RTCP, giant ones, and our own that came back. */
  get badPackets(): number {
    return this.#bad;
  }

  start(): void {
    if (this.#cancel === undefined) this.#wait();
  }

  /** Takes what came from the peer. */
  receive(data: Uint8Array): void {
    const packets = data.length > LONGEST_PACKET ? undefined : readRtcp(data);
    // What we have sent ourselves comes back by a loop (RFC 3550 §8.2).
    if (packets === undefined || sourceOf(packets) === this.#options.sender.ssrc) {
      this.#bad++;
      return;
    }
    this.#average = averageRtcpSize(this.#average, data.length + UDP_AND_IP_BYTES);
    for (const packet of packets) this.#take(packet);
  }

  /** Says goodbye (§6.6) and sends nothing more. */
  close(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    const { sender } = this.#options;
    this.#send([...this.#reports(), { kind: 'bye', ssrcs: [sender.ssrc] }]);
  }

  #wait(): void {
    const { scheduler, random, sender, receiver } = this.#options;
    const weSent = sender.count.packets > this.#sentBefore;
    const situation = {
      members: 2,
      senders: (weSent ? 1 : 0) + (receiver.lastAt === undefined ? 0 : 1),
      bandwidth: BANDWIDTH,
      weSent,
      averageSize: this.#average,
      initial: this.#initial,
    };
    this.#cancel = scheduler.after(rtcpInterval(situation, random.integer(STEPS) / STEPS), () => this.#report());
  }

  #report(): void {
    this.#send(this.#reports());
    this.#initial = false;
    this.#wait();
  }

  #send(packets: readonly RtcpPacket[]): void {
    const data = writeRtcp(packets);
    this.#average = averageRtcpSize(this.#average, data.length + UDP_AND_IP_BYTES);
    this.#options.send(data);
  }

  #reports(): RtcpPacket[] {
    const { sender, cname } = this.#options;
    const { ssrc } = sender;
    const { packets, octets } = sender.count;
    const reports = this.#blocks();
    const sentSince = packets > this.#sentBefore;
    this.#sentBefore = packets;
    const description = { kind: 'sdes', chunks: [{ ssrc, items: [{ type: CNAME, text: cname }] }] } as const;
    if (!sentSince) return [{ kind: 'rr', ssrc, reports }, description];
    const ntp = ntpTime(this.#options.scheduler.wallTime());
    return [{ kind: 'sr', ssrc, ntp, rtpTimestamp: sender.timestamp, packets, octets, reports }, description];
  }

  #blocks(): ReportBlock[] {
    const quality = this.#options.receiver.report();
    if (quality === undefined) return [];
    const since = this.#lastSenderReport === 0 ? 0 : this.#options.scheduler.now() - this.#lastSenderReportAt;
    return [{ ...quality, lastSenderReport: this.#lastSenderReport, delaySinceLast: delaySinceLast(since) }];
  }

  #take(packet: RtcpPacket): void {
    if (packet.kind !== 'sr' && packet.kind !== 'rr') return;
    const { scheduler, sender } = this.#options;
    if (packet.kind === 'sr') {
      this.#lastSenderReport = compactNtp(packet.ntp);
      this.#lastSenderReportAt = scheduler.now();
    }
    const ours = packet.reports.find(({ ssrc }) => ssrc === sender.ssrc);
    const trip = ours === undefined ? undefined : roundTripMs(ours, scheduler.wallTime());
    if (trip !== undefined) this.#roundTripMs = trip;
  }
}

/** Who has sent a compound packet: its first part is a report. */
function sourceOf([first]: readonly RtcpPacket[]): number | undefined {
  return first !== undefined && 'ssrc' in first ? first.ssrc : undefined;
}
