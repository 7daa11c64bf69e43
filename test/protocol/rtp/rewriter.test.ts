import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { marker, rtpHeader, sequenceOf, ssrcOf, timestampOf } from '../../../src/protocol/rtp/packet.js';
import { ReceiverStatistics } from '../../../src/protocol/rtp/receiver-statistics.js';
import { StreamRewriter } from '../../../src/protocol/rtp/rewriter.js';
import { sequenceDelta, timestampDelta } from '../../../src/protocol/rtp/sequence.js';
import { rtp, voice } from './packets.js';

const rewriter = (): StreamRewriter =>
  new StreamRewriter({ ssrc: 0xabcd, sequence: 65_530, timestamp: 0xfffffff0, clockRate: 8000 });

/** Sends the packets 20 ms apart; what left, in order. */
function pass(stream: StreamRewriter, packets: readonly Uint8Array[], fromMs = 0): Uint8Array[] {
  return packets.filter((packet, i) => stream.rewrite(packet, fromMs + 20 * i));
}

const steps = (packets: readonly Uint8Array[], step: (from: Uint8Array, to: Uint8Array) => number): number[] =>
  packets.slice(1).map((packet, i) => step(packets[i] as Uint8Array, packet));
const sequenceStep = (from: Uint8Array, to: Uint8Array): number => sequenceDelta(sequenceOf(from), sequenceOf(to));
const timestampStep = (from: Uint8Array, to: Uint8Array): number => timestampDelta(timestampOf(from), timestampOf(to));

describe('one stream of several sources', () => {
  test('begins with the numbers that it was given, over the wrap of both', () => {
    const sent = pass(rewriter(), voice(20, { ssrc: 7, sequence: 100, timestamp: 5000, payloadType: 8 }));
    expect(rtpHeader(sent[0] as Uint8Array)).toEqual({
      payloadType: 8,
      marker: true,
      sequence: 65_530,
      timestamp: 0xfffffff0,
      ssrc: 0xabcd,
    });
    expect(steps(sent, sequenceStep)).toEqual(Array(19).fill(1));
    expect(steps(sent, timestampStep)).toEqual(Array(19).fill(160));
    expect(sent.slice(1).some(marker)).toBe(false);
  });

  test('goes on where the last source stopped, after as much time as has gone, and marks the change', () => {
    const stream = rewriter();
    const first = pass(stream, voice(5, { ssrc: 1, sequence: 9000 }));
    const second = pass(stream, voice(5, { ssrc: 2, sequence: 3, timestamp: 77 }), 1080);
    const sent = [...first, ...second];
    expect(steps(sent, sequenceStep)).toEqual(Array(9).fill(1));
    // The last left at 80 ms, the next at 1080 ms.
    expect(steps(sent, timestampStep)).toEqual([160, 160, 160, 160, 8000, 160, 160, 160, 160]);
    expect(sent.map(marker)).toEqual([true, false, false, false, false, true, false, false, false, false]);
    expect(new Set(sent.map(ssrcOf))).toEqual(new Set([0xabcd]));
    expect(stream.timestampFor(77)).toBe(timestampOf(second[0] as Uint8Array));
    expect(stream.ssrc).toBe(0xabcd);
  });

  test('losses and the order within a source stay as they are', () => {
    const packets = voice(10, { ssrc: 1 });
    const order = [0, 1, 3, 2, 6, 7, 9];
    const sent = pass(
      rewriter(),
      order.map((i) => packets[i] as Uint8Array),
    );
    expect(steps(sent, sequenceStep)).toEqual([1, 2, -1, 4, 1, 2]);
    expect(steps(sent, timestampStep)).toEqual([160, 320, -160, 640, 160, 320]);
  });

  test('what is late of a source that was replaced is not sent; when it goes on itself, it is heard again', () => {
    const stream = rewriter();
    const [a0, a1, late, back] = voice(4, { ssrc: 1 }) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const [b0, b1] = voice(2, { ssrc: 2, sequence: 500 }) as [Uint8Array, Uint8Array];
    expect(pass(stream, [a0, late, b0])).toHaveLength(3);
    expect(stream.rewrite(a1, 70)).toBe(false);
    expect(stream.rewrite(b1, 80)).toBe(true);
    expect(stream.rewrite(back, 100)).toBe(true);
    expect(sequenceStep(b1, back)).toBe(1);
    expect(timestampStep(b1, back)).toBe(160);
  });

  test('a source whose numbers jump goes on without a gap; what is late of before the jump is not sent', () => {
    const stream = rewriter();
    const before = voice(3, { ssrc: 1, sequence: 10 });
    const after = voice(3, { ssrc: 1, sequence: 20_000, timestamp: 1_000_000 });
    const sent = pass(stream, [...before, ...after]);
    expect(steps(sent, sequenceStep)).toEqual([1, 1, 1, 1, 1]);
    expect(steps(sent, timestampStep)).toEqual([160, 160, 160, 160, 160]);
    expect(stream.rewrite(rtp({ ssrc: 1, sequence: 19_999, timestamp: 999_840 }), 120)).toBe(false);
  });

  test('a clock that is set anew within a source goes on; the packets of a long key, which look back, are let through', () => {
    const stream = rewriter();
    const sent = pass(stream, [
      ...voice(2, { ssrc: 1, timestamp: 4_000_000 }),
      ...voice(2, { ssrc: 1, sequence: 2, timestamp: 10 }),
      ...voice(1, { ssrc: 1, sequence: 4, timestamp: 10 - 60_000 }),
      ...voice(2, { ssrc: 1, sequence: 5, timestamp: 2_000_000_000 }),
    ]);
    expect(steps(sent, timestampStep)).toEqual([160, 160, 160, -60_160, 60_160 + 320, 160]);
    expect(steps(sent, sequenceStep)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('to the receiver it is one source without losses, however often the sources change', () => {
    const turns = fc.array(
      fc.record({
        sequence: fc.integer({ min: 0, max: 0xffff }),
        timestamp: fc.integer({ min: 0, max: 0xffffffff }),
        packets: fc.integer({ min: 1, max: 30 }),
        pauseMs: fc.integer({ min: 0, max: 5000 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(turns, (list) => {
        const stream = rewriter();
        const statistics = new ReceiverStatistics(8000);
        const sent: Uint8Array[] = [];
        let atMs = 0;
        for (const [i, { packets, pauseMs, ...first }] of list.entries()) {
          atMs += pauseMs;
          for (const packet of voice(packets, { ...first, ssrc: i % 3 })) {
            atMs += 20;
            if (!stream.rewrite(packet, atMs)) continue;
            statistics.receive(packet, atMs);
            sent.push(packet);
          }
        }
        fc.pre(sent.length > 1);
        expect(steps(sent, sequenceStep).every((step) => step >= 1)).toBe(true);
        expect(steps(sent, timestampStep).every((step) => step >= 1)).toBe(true);
        expect(statistics.snapshot()).toMatchObject({ duplicates: 0, outOfOrder: 0, restarts: 0, strays: 0 });
      }),
    );
  });
});
