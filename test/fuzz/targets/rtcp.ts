import { UsageError } from '../../../src/base/errors.js';
import { isRtcp } from '../../../src/protocol/rtp/demultiplex.js';
import { epochMillis, roundTripMs } from '../../../src/protocol/rtp/ntp.js';
import { type RtcpPacket, readRtcp, writeRtcp } from '../../../src/protocol/rtp/rtcp.js';
import { hex, rtcpSeeds } from '../input/media-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const WORDS = ['80c9 0001', '81c8 000c', '81ca 0003', 'a1cb 0002', '81cc', '80cf', '01ff', '0000 0000'].map(hex);

/** Compound packets: read whole or not at all, and written again they say the same (RFC 3550 §6, §A.2). */
export const rtcpTarget: FuzzTarget = {
  name: 'rtcp',
  share: 30,
  material: { seeds: rtcpSeeds, words: WORDS, lines: false, binary: true },
  check(input) {
    const packets = readRtcp(input);
    if (packets === undefined) return;
    hold(isRtcp(input), 'what can be read is told apart as RTCP');
    for (const packet of packets) checkReport(packet);
    // Texts that are no UTF-8 grow when they are written, and may not fit any more.
    const written = refusedAs(UsageError, () => writeRtcp(packets));
    if (written === undefined) return;
    hold(sayingOf(readRtcp(written) ?? []) === sayingOf(packets), 'what was written says the same');
  },
};

/** As a text: whether bytes are a Buffer or not does not matter. */
function sayingOf(packets: readonly RtcpPacket[]): string {
  return JSON.stringify(
    packets.map((packet) => (packet.kind === 'other' ? { ...packet, body: [...packet.body] } : packet)),
  );
}

function checkReport(packet: RtcpPacket): void {
  if (packet.kind !== 'sr' && packet.kind !== 'rr') return;
  if (packet.kind === 'sr') hold(Number.isFinite(epochMillis(packet.ntp)), 'a time');
  for (const report of packet.reports) {
    const trip = roundTripMs(report, 1_800_000_000_000);
    hold(trip === undefined || (trip >= 0 && trip <= 2 ** 31 / 65), `a round trip that can be: ${trip} ms`);
    hold(Math.abs(report.cumulativeLost) <= 2 ** 23, 'a loss of 24 bits');
  }
}
