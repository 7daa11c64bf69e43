import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JitterBuffer } from '../../../src/media/session/jitter-buffer.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { joined, purity, sine } from './studio.js';

const BLOCK = 160;

/** Reads `count` blocks. */
function readAll(buffer: JitterBuffer, count: number): Int16Array {
  return joined(
    Array.from({ length: count }, () => {
      const out = new Int16Array(BLOCK);
      buffer.read(out);
      return out;
    }),
  );
}

/** A ramp without the value that marks a gap. */
const ramp = (from: number, count: number): Int16Array =>
  Int16Array.from({ length: count }, (_none, i) => 1 + ((from + i) % 30_000));

describe('the jitter buffer', () => {
  test('gives back what was put in, 60 ms later', () => {
    const buffer = new JitterBuffer();
    const out: Int16Array[] = [];
    for (let i = 0; i < 50; i++) {
      buffer.write(1000 + i * BLOCK, ramp(i * BLOCK, BLOCK), BLOCK);
      out.push(readAll(buffer, 1));
    }
    const all = joined(out);
    expect(all.subarray(0, 480).every((sample) => sample === 0)).toBe(true);
    expect(all.subarray(480)).toEqual(ramp(0, 47 * BLOCK));
    expect(buffer.concealedSamples).toBe(0);
  });

  test('whatever the order within 60 ms, whatever is doubled, whatever the packets’ sizes, around the wrap of the timestamp', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.string(), (start, seed) => {
        const random = new SeededRandom(seed);
        const packets: { at: number; timestamp: number; samples: Int16Array }[] = [];
        for (let at = 0; at < 8000; ) {
          const count = [80, 160, 240, 320, 77][random.integer(5)] ?? 160;
          const samples = ramp(at, count);
          const timestamp = (start + at) >>> 0;
          packets.push({ at: at + (at === 0 ? 0 : random.integer(300)), timestamp, samples });
          if (random.chance(0.2)) packets.push({ at: at + 100, timestamp, samples });
          at += count;
        }
        packets.sort((a, b) => a.at - b.at);
        const buffer = new JitterBuffer();
        const out: Int16Array[] = [];
        for (let now = 0; now < 7000; now += BLOCK) {
          while ((packets[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
            const packet = packets.shift();
            if (packet !== undefined) buffer.write(packet.timestamp, packet.samples, packet.samples.length);
          }
          out.push(readAll(buffer, 1));
        }
        const all = joined(out);
        expect(all.subarray(480).findIndex((sample, i) => sample !== 1 + (i % 30_000))).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });

  test('a lost packet is hidden by what was heard before, a long gap fades to silence', () => {
    const buffer = new JitterBuffer();
    const tone = sine(400, 1000);
    const out: Int16Array[] = [];
    for (let i = 0; i < 50; i++) {
      if (i !== 20 && i < 30) buffer.write(i * BLOCK, tone.subarray(i * BLOCK, (i + 1) * BLOCK), BLOCK);
      out.push(readAll(buffer, 1));
    }
    const all = joined(out);
    const gap = all.subarray(480 + 20 * BLOCK, 480 + 21 * BLOCK);
    expect(purity(gap, 400)).toBeGreaterThan(0.9);
    expect(all.subarray(480 + 34 * BLOCK).every((sample) => sample === 0)).toBe(true);
    expect(buffer.concealedSamples).toBe(BLOCK + 480);
  });

  test('packets that keep coming too late: the delay grows until they are in time, and shrinks when they are punctual again', () => {
    const buffer = new JitterBuffer();
    const late: { timestamp: number; samples: Int16Array }[] = [];
    for (let i = 0; i < 2000; i++) {
      // From packet 50 on everything is 150 ms late, up to packet 300.
      if (i < 50 || i > 300) {
        if (i === 301) for (const { timestamp, samples } of late.splice(0)) buffer.write(timestamp, samples, BLOCK);
        buffer.write(i * BLOCK, ramp(i * BLOCK, BLOCK), BLOCK);
      } else {
        late.push({ timestamp: i * BLOCK, samples: ramp(i * BLOCK, BLOCK) });
        const next = late.length > 8 ? late.shift() : undefined;
        if (next !== undefined) buffer.write(next.timestamp, next.samples, BLOCK);
      }
      readAll(buffer, 1);
      if (i === 200) expect(buffer.delayMs).toBeGreaterThan(60);
    }
    expect(buffer.latePackets).toBeGreaterThan(0);
    expect(buffer.delayMs).toBe(60);
  });

  test('a sender whose clock is fast: what piles up is dropped, so that the delay stays bounded', () => {
    const buffer = new JitterBuffer();
    let written = 0;
    for (let i = 0; i < 10_000; i++) {
      buffer.write(written, ramp(written, BLOCK), BLOCK);
      written += BLOCK;
      // Half a per cent too much.
      if (i % 200 === 0) {
        buffer.write(written, ramp(written, BLOCK), BLOCK);
        written += BLOCK;
      }
      readAll(buffer, 1);
    }
    const heard = readAll(buffer, 20);
    const last = heard.findLastIndex((sample) => sample !== 0);
    expect(last / 8).toBeLessThan(250);
  });

  test('a jump of the sender’s clock begins anew', () => {
    const buffer = new JitterBuffer();
    for (const start of [0, 2_000_000_000, 100]) {
      for (let i = 0; i < 20; i++) {
        buffer.write((start + i * BLOCK) >>> 0, ramp(i * BLOCK, BLOCK), BLOCK);
        readAll(buffer, 1);
      }
      expect(readAll(buffer, 1)[0]).toBe(ramp(17 * BLOCK, 1)[0]);
    }
  });

  test('any writes and reads: never throws, never gives more than it takes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 6000 }), fc.nat(400))),
        (steps) => {
          const buffer = new JitterBuffer();
          for (const [timestamp, count, read] of steps) {
            buffer.write(timestamp, new Int16Array(count).fill(7), count);
            const out = new Int16Array(read);
            buffer.read(out);
            expect(out.every((sample) => sample >= 0 && sample <= 7)).toBe(true);
          }
        },
      ),
    );
  });
});
