import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RtcpPacket, readRtcp, writeRtcp } from '../../../src/protocol/rtp/rtcp.js';
import type { ReportBlock } from '../../../src/protocol/rtp/rtcp-report.js';
import { CNAME } from '../../../src/protocol/rtp/rtcp-sdes.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const word = fc.integer({ min: 0, max: 0xffffffff });

const blocks: fc.Arbitrary<ReportBlock> = fc.record({
  ssrc: word,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
  highestSequence: word,
  jitter: word,
  lastSenderReport: word,
  delaySinceLast: word,
});
const reports = fc.array(blocks, { maxLength: 31 });
const text = fc.string({ unit: 'grapheme', maxLength: 12 });

const report: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({ kind: fc.constant('rr' as const), ssrc: word, reports }),
  fc.record({
    kind: fc.constant('sr' as const),
    ssrc: word,
    ntp: fc.record({ seconds: word, fraction: word }),
    rtpTimestamp: word,
    packets: word,
    octets: word,
    reports,
  }),
);

const others: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    kind: fc.constant('sdes' as const),
    chunks: fc.array(
      fc.record({
        ssrc: word,
        items: fc.array(fc.record({ type: fc.integer({ min: 1, max: 255 }), text }), { maxLength: 4 }),
      }),
      { maxLength: 31 },
    ),
  }),
  fc.record({ kind: fc.constant('bye' as const), ssrcs: fc.array(word, { maxLength: 31 }) }),
  fc.record({ kind: fc.constant('bye' as const), ssrcs: fc.array(word, { maxLength: 31 }), reason: text }),
  fc.record({
    kind: fc.constant('other' as const),
    type: fc.integer({ min: 204, max: 207 }),
    count: fc.integer({ min: 0, max: 31 }),
    body: fc.array(word, { maxLength: 10 }).map((words) => {
      const body = Buffer.alloc(4 * words.length);
      words.forEach((value, i) => body.writeUInt32BE(value, 4 * i));
      return new Uint8Array(body);
    }),
  }),
);

const compound = fc.tuple(report, fc.array(others, { maxLength: 5 })).map(([first, more]) => [first, ...more]);

describe('RFC 3550 §6.4 to §6.6: packets', () => {
  test('§6.4.1: a sender report with a block, SDES and BYE, by hand', () => {
    const packets: RtcpPacket[] = [
      {
        kind: 'sr',
        ssrc: 0x11223344,
        ntp: { seconds: 0xe0000001, fraction: 0x80000000 },
        rtpTimestamp: 1600,
        packets: 10,
        octets: 1600,
        reports: [
          {
            ssrc: 0x55667788,
            fractionLost: 64,
            cumulativeLost: -2,
            highestSequence: 0x1ffff,
            jitter: 12,
            lastSenderReport: 0x00018000,
            delaySinceLast: 0x00010000,
          },
        ],
      },
      { kind: 'sdes', chunks: [{ ssrc: 0x11223344, items: [{ type: CNAME, text: 'a@b' }] }] },
      { kind: 'bye', ssrcs: [0x11223344], reason: 'bye' },
    ];
    const bytes = hex(`81c8000c 11223344 e0000001 80000000 00000640 0000000a 00000640
      55667788 40fffffe 0001ffff 0000000c 00018000 00010000
      81ca0003 11223344 01036140 62000000`);
    const bye = hex('81cb0002 11223344 03627965');
    expect(Buffer.from(writeRtcp(packets)).toString('hex')).toBe(Buffer.concat([bytes, bye]).toString('hex'));
    expect(readRtcp(Buffer.concat([bytes, bye]))).toEqual(packets);
  });

  test('what was written is read back, whatever it says', () => {
    fc.assert(
      fc.property(compound, (packets) => {
        const bytes = writeRtcp(packets);
        expect(bytes.length % 4).toBe(0);
        expect(readRtcp(bytes)).toEqual(
          packets.map((packet) => (packet.kind === 'other' ? { ...packet, body: expect.anything() } : packet)),
        );
      }),
    );
  });

  test('XR and feedback come with their bytes, so that they can be passed on', () => {
    const feedback = hex('81cd0003 00000001 00000002 00070000');
    const read = readRtcp(Buffer.concat([hex('80c90001 00000001'), feedback]));
    expect(read).toHaveLength(2);
    expect(Buffer.from(writeRtcp(read ?? [])).subarray(8)).toEqual(Buffer.from(feedback));
  });

  test('profile-specific extensions of a report and padding of the last packet are passed over', () => {
    expect(readRtcp(hex('80c90003 00000001 aabbccdd 00000000'))).toEqual([{ kind: 'rr', ssrc: 1, reports: [] }]);
    expect(readRtcp(hex('80c90001 00000001 a1cb0003 00000001 00000000 00000008'))).toEqual([
      { kind: 'rr', ssrc: 1, reports: [] },
      { kind: 'bye', ssrcs: [1] },
    ]);
  });

  test('§6.1: unknown types are skipped', () => {
    expect(readRtcp(hex('80c90001 00000001 80d20001 12345678 80cb0000'))).toEqual([
      { kind: 'rr', ssrc: 1, reports: [] },
      { kind: 'bye', ssrcs: [] },
    ]);
  });
});

describe('RFC 3550 §A.2: what is no RTCP packet', () => {
  test.each([
    ['nothing', ''],
    ['three bytes', '80c900'],
    ['another version', '40c90001 00000001'],
    ['no report first', '81cb0001 00000001'],
    ['a length that runs over the end', '80c90002 00000001'],
    ['a rest that is no packet', '80c90001 00000001 0000'],
    ['a second packet of another version', '80c90001 00000001 00cb0000'],
    ['padding on the first of two packets', 'a0c90002 00000001 00000004 80cb0000'],
    ['padding of no bytes', 'a0c90002 00000001 00000000'],
    ['padding that is no multiple of four', 'a0c90002 00000001 00000002'],
    ['padding that is longer than the packet', 'a0c90002 00000001 0000000c'],
    ['a report without its source', '80c90000'],
    ['more blocks than there are', '81c90001 00000001'],
    ['a sender report that is too short', '80c80005 00000001 00000000 00000000 00000000 00000000'],
    ['SDES: a chunk too many', '80c90001 00000001 82ca0002 00000001 00000000'],
    ['SDES: an item that runs over the end', '80c90001 00000001 81ca0002 00000001 01050000'],
    ['SDES: no end', '80c90001 00000001 81ca0002 00000001 01026162'],
    ['BYE: a source too many', '80c90001 00000001 82cb0001 00000001'],
    ['BYE: a reason that runs over the end', '80c90001 00000001 81cb0002 00000001 04616263'],
  ])('%s', (_name, packet) => {
    expect(readRtcp(hex(packet))).toBeUndefined();
  });

  test('a valid packet with one byte changed, cut off or added never throws', () => {
    fc.assert(
      fc.property(compound, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(40), (packets, at, byte, cut) => {
        const bytes = Uint8Array.from(writeRtcp(packets));
        bytes[at % bytes.length] = byte;
        readRtcp(bytes);
        readRtcp(bytes.subarray(0, Math.max(0, bytes.length - cut)));
        expect(readRtcp(Uint8Array.of(...bytes, byte))).toBeUndefined();
      }),
    );
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(200, 201), (data, type) => {
        if (data.length > 1) data.set([0x80 | ((data[0] as number) & 0x3f), type]);
        readRtcp(data);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writing refuses what cannot be said', () => {
  const rr: RtcpPacket = { kind: 'rr', ssrc: 1, reports: [] };
  const many = Array.from({ length: 32 }, (_, i) => i);
  test.each<[string, readonly RtcpPacket[]]>([
    ['nothing', []],
    ['§6.1: no report first', [{ kind: 'bye', ssrcs: [1] }]],
    ['a text of 256 bytes', [rr, { kind: 'sdes', chunks: [{ ssrc: 1, items: [{ type: 1, text: 'ä'.repeat(128) }] }] }]],
    ['an item of type 0', [rr, { kind: 'sdes', chunks: [{ ssrc: 1, items: [{ type: 0, text: '' }] }] }]],
    ['32 chunks', [rr, { kind: 'sdes', chunks: many.map((ssrc) => ({ ssrc, items: [] })) }]],
    ['32 sources that leave', [rr, { kind: 'bye', ssrcs: many }]],
    ['a reason of 256 bytes', [rr, { kind: 'bye', ssrcs: [], reason: 'x'.repeat(256) }]],
  ])('%s', (_name, packets) => {
    expect(() => writeRtcp(packets)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });

  test('of 32 reports the first 31 are written: the others wait for the next packet', () => {
    const block = {
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequence: 0,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLast: 0,
    };
    const [read] = readRtcp(writeRtcp([{ ...rr, reports: many.map((ssrc) => ({ ssrc, ...block })) }])) ?? [];
    expect(read?.kind === 'rr' && read.reports.map(({ ssrc }) => ssrc)).toEqual(many.slice(0, 31));
  });
});
