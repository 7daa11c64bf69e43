import { AudioReceiver } from '../../../src/media/session/audio-receiver.js';
import { datagramKind } from '../../../src/protocol/rtp/demultiplex.js';
import { EventReceiver } from '../../../src/protocol/rtp/event-receiver.js';
import { isRtp, isRtpHeader, payloadEnd, payloadOffset, rtpHeader } from '../../../src/protocol/rtp/packet.js';
import { ReceiverStatistics } from '../../../src/protocol/rtp/receiver-statistics.js';
import { StreamRewriter } from '../../../src/protocol/rtp/rewriter.js';
import { readRtcp, writeRtcp } from '../../../src/protocol/rtp/rtcp.js';
import { hex, packetsOf, rtpTrains, train, voicePacket } from '../input/media-seeds.js';
import { type FuzzTarget, hold } from './target.js';

const EXPECTED = new Map([
  [8, 'PCMA'],
  [0, 'PCMU'],
  [101, 'event'],
] as const);
const AGREED = {
  codec: 'PCMA',
  payloadType: 8,
  expected: EXPECTED,
  ptimeMs: 20,
  sending: true,
  receiving: true,
  direction: 'sendrecv',
  rtcpMux: false,
} as const;

const OWN_SSRC = 0x7fffffff;
const FRAME = 160;
/** More than the longest delay of the jitter buffer, in packets of 20 ms. */
const SOUND_PACKETS = 30;

/** A train of datagrams: what reads headers, counts, hears, takes keys and rewrites. Afterwards a sound stream is heard. */
export const rtpTarget: FuzzTarget = {
  name: 'rtp',
  share: 40,
  material: {
    seeds: rtpTrains,
    words: [train([voicePacket(9)]), hex('8065'), hex('8088'), hex('bede'), hex('ffffffff'), hex('00ac')],
    lines: false,
    binary: true,
  },
  check(input) {
    const digits: string[] = [];
    const receiver = new AudioReceiver({ ownSsrc: OWN_SSRC, onDigit: (digit) => digits.push(digit) });
    receiver.agree(AGREED);
    const side = new Side();
    const out = new Int16Array(FRAME);
    const packets = packetsOf(input);
    packets.forEach((packet, i) => {
      receiver.receive(packet.slice(), i * 20);
      receiver.read(out, i * 20);
      side.take(packet, i * 20);
    });
    side.end();
    hold(digits.length <= input.length / 4, 'no more keys than there is room for');
    const { count } = receiver;
    hold(count.packets + count.unusable >= packets.length, 'every packet is counted');
    const numbers = [count.lost, count.late, count.concealedMs, count.jitterMs, count.bufferMs, count.lossRatio];
    hold(
      numbers.every((number) => number >= 0 && number < 1e9),
      `what was counted can be: ${numbers.join(' ')}`,
    );
    // Hearing costs more than all the rest.
    if (input.length % 4 === 0) checkHeard(receiver, packets.length);
  },
};

/** Any source that speaks soundly is heard, whatever came before. */
function checkHeard(receiver: AudioReceiver, played: number): void {
  const out = new Int16Array(FRAME);
  let heard = 0;
  for (let i = 0; i < SOUND_PACKETS; i++) {
    const now = (played + i) * 20;
    receiver.receive(voicePacket(40_000 + i, 0x0f0f0f0f), now);
    if (receiver.read(out, now) && out.every((sample) => sample === out[0] && sample !== 0)) heard++;
  }
  hold(heard >= SOUND_PACKETS / 3, `a sound stream is heard afterwards: ${heard} of ${SOUND_PACKETS} packets`);
}

/** What a relay and a bridge do with the same packets. */
class Side {
  readonly #statistics = new ReceiverStatistics(8_000);
  readonly #rewriter = new StreamRewriter({ ssrc: 1, sequence: 65_530, timestamp: 0xfffffff0, clockRate: 8_000 });
  readonly #keys = new EventReceiver();
  #down: string | undefined;

  take(packet: Uint8Array, atMs: number): void {
    const kind = datagramKind(packet);
    hold((kind === 'rtp') === isRtpHeader(packet), 'RTP is what has its header');
    if (kind !== 'rtp') return;
    const header = rtpHeader(packet);
    hold(payloadOffset(packet) >= 12 && payloadOffset(packet) <= packet.length, 'the payload begins within');
    this.#statistics.receive(packet, atMs);
    if (isRtp(packet)) {
      hold(payloadEnd(packet) >= payloadOffset(packet) && payloadEnd(packet) <= packet.length, 'and ends within');
      if (header.payloadType === 101) this.#press(packet, atMs);
    }
    const size = packet.length;
    const copy = packet.slice();
    const sent = this.#rewriter.rewrite(copy, atMs);
    hold(copy.length === size && (!sent || rtpHeader(copy).ssrc === 1), 'what is rewritten is ours');
  }

  end(): void {
    const report = this.#statistics.report();
    if (report === undefined) return;
    const block = { ...report, lastSenderReport: 0, delaySinceLast: 0 };
    const [read] = readRtcp(writeRtcp([{ kind: 'rr', ssrc: 1, reports: [block] }])) ?? [];
    hold(read?.kind === 'rr' && JSON.stringify(read.reports[0]) === JSON.stringify(block), 'a report fits its fields');
  }

  /** One key goes up before the next one goes down. */
  #press(packet: Uint8Array, atMs: number): void {
    for (const event of this.#keys.receive(packet, atMs)) {
      hold((event.kind === 'pressed') === (this.#down === undefined), 'keys go down and up in turn');
      if (event.kind === 'released') {
        hold(event.digit === this.#down && event.durationMs >= 0, 'what goes up is what was down');
        this.#down = undefined;
      } else this.#down = event.digit;
    }
  }
}
