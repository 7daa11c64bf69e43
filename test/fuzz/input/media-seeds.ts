import { EventSender } from '../../../src/protocol/rtp/event-sender.js';
import { writeRtp } from '../../../src/protocol/rtp/packet.js';
import { writeRtcp } from '../../../src/protocol/rtp/rtcp.js';
import { CNAME } from '../../../src/protocol/rtp/rtcp-sdes.js';
import { readPcap } from '../../support/pcap.js';
import { corpusFiles } from './corpora.js';

const VOICE_BYTES = 160;
/** Of a capture so many packets: a mutant is to be read in no time. */
const MOST_OF_A_CAPTURE = 24;
export const SSRC = 0x01020304;

/** Hexadecimal digits, with spaces where a reader wants them. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** 20 ms of A-law under payload type 8. */
export function voicePacket(sequence: number, ssrc = SSRC, value = 0x55): Uint8Array {
  const out = new Uint8Array(12 + VOICE_BYTES);
  const header = { payloadType: 8, marker: false, sequence, timestamp: sequence * VOICE_BYTES, ssrc };
  writeRtp(out, header, new Uint8Array(VOICE_BYTES).fill(value));
  return out;
}

/** All packets of a key under payload type 101. */
function keyPackets(): Uint8Array[] {
  const sender = new EventSender();
  sender.press('5', { durationMs: 200 });
  const packets: Uint8Array[] = [];
  for (let sequence = 30; sender.busy; sequence++) {
    const event = sender.tick(160 * sequence);
    if (event === undefined) continue;
    const { marker, timestamp, payload } = event;
    const out = new Uint8Array(12 + payload.length);
    writeRtp(out, { payloadType: 101, marker, sequence, timestamp, ssrc: SSRC }, payload);
    packets.push(out);
  }
  return packets;
}

/** One after the other, each behind its length in two bytes: an input of many datagrams. */
export function train(packets: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(packets.flatMap((packet) => [Buffer.from([packet.length >> 8, packet.length]), packet]));
}

/** The datagrams of a train; the last one may be cut. */
export function packetsOf(input: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at + 2 <= input.length; ) {
    const end = at + 2 + (((input[at] as number) << 8) | (input[at + 1] as number));
    packets.push(input.slice(at + 2, end));
    at = end;
  }
  return packets;
}

const VOICE = Array.from({ length: 12 }, (_none, i) => voicePacket(0xfffa + i));
/** A contributing source and a header extension; padding; comfort noise; nothing but a header. */
const ODD_PACKETS = [
  hex('91 08 0001 000000a0 01020304 0a0b0c0d bede0001 10ff0000 55555555'),
  hex('a0 08 0002 00000140 01020304 5555 0002'),
  hex('80 0d 0003 000001e0 01020304 40'),
  hex('80 88 0004 00000280 01020304'),
];

/** RTP: voice over the wrap of the sequence numbers, keys, odd headers, and what was captured of phones. */
export const rtpTrains: readonly Uint8Array[] = [
  train(VOICE),
  train(keyPackets()),
  train(ODD_PACKETS),
  train([...VOICE.slice(0, 4), ...keyPackets().slice(0, 3), ...ODD_PACKETS]),
  ...corpusFiles('dtmf-rfc4733', '.pcap').map((file) =>
    train(
      readPcap(Buffer.from(file))
        .slice(0, MOST_OF_A_CAPTURE)
        .map(({ data }) => data),
    ),
  ),
];

const REPORT = {
  ssrc: 0x0a0b0c0d,
  fractionLost: 12,
  cumulativeLost: -3,
  highestSequence: 0x00010005,
  jitter: 160,
  lastSenderReport: 0x12345678,
  delaySinceLast: 0x00010000,
};

/** RTCP: every kind of packet that we know. */
export const rtcpSeeds: readonly Uint8Array[] = [
  writeRtcp([
    {
      kind: 'sr',
      ssrc: SSRC,
      ntp: { seconds: 0xdeadbeef, fraction: 0x80000000 },
      rtpTimestamp: 160_000,
      packets: 1_000,
      octets: 160_000,
      reports: [REPORT, { ...REPORT, ssrc: 7 }],
    },
    { kind: 'sdes', chunks: [{ ssrc: SSRC, items: [{ type: CNAME, text: 'a@b' }] }] },
  ]),
  writeRtcp([
    { kind: 'rr', ssrc: SSRC, reports: [] },
    { kind: 'bye', ssrcs: [SSRC, 7], reason: 'teardown' },
  ]),
  writeRtcp([
    { kind: 'rr', ssrc: SSRC, reports: [REPORT] },
    { kind: 'other', type: 207, count: 0, body: hex('01020304 04000002 deadbeef 00000001') },
    { kind: 'other', type: 206, count: 1, body: hex('01020304 0a0b0c0d') },
  ]),
];
