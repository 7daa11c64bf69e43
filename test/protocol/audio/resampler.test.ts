import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toneDbov } from '../../../src/protocol/audio/goertzel.js';
import { levelDbov } from '../../../src/protocol/audio/pcm.js';
import { Resampler, type ResamplerOptions } from '../../../src/protocol/audio/resampler.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { cut, joined, noise, sine } from './signals.js';

function resampled(options: ResamplerOptions, ...pieces: readonly Int16Array[]): Int16Array {
  const resampler = new Resampler(options);
  return joined(...pieces.map((piece) => resampler.process(piece)), resampler.flush());
}

/** The middle of a second of a sine through the resampler, without what begins and ends it. */
function middleOf(hz: number, { from, to }: ResamplerOptions): Int16Array {
  const out = resampled({ from, to }, sine(hz, from, { rate: from }));
  return out.subarray(Math.round(to * 0.25), Math.round(to * 0.75));
}

const PAIRS: readonly ResamplerOptions[] = [
  { from: 8_000, to: 48_000 },
  { from: 48_000, to: 8_000 },
  { from: 44_100, to: 8_000 },
  { from: 8_000, to: 44_100 },
  { from: 22_050, to: 8_000 },
  { from: 11_025, to: 8_000 },
  { from: 16_000, to: 8_000 },
  { from: 192_000, to: 8_000 },
  // nothing in common: the filter is interpolated
  { from: 7_919, to: 8_000 },
  { from: 44_101, to: 8_000 },
  { from: 8_000, to: 47_999 },
];

describe.each(PAIRS)('$from to $to', ({ from, to }) => {
  const nyquist = Math.min(from, to) / 2;

  test('the passband is flat to 0.1 dB up to 0.85 of half the lower rate, and clean', () => {
    for (const share of [0.05, 0.25, 0.5, 0.75, 0.85]) {
      const hz = Math.round(nyquist * share);
      const out = middleOf(hz, { from, to });
      const wanted = levelDbov(sine(hz, from, { rate: from }));
      expect(Math.abs(toneDbov(out, hz, to) - wanted)).toBeLessThan(0.1);
      // everything that is heard is that tone: what is not lies 55 dB below it
      const rest = Math.max(0, 10 ** (levelDbov(out) / 10) - 10 ** (toneDbov(out, hz, to) / 10));
      expect(10 * Math.log10(rest + 1e-12)).toBeLessThan(wanted - 55);
    }
  });

  test('the output is as long in time as the input, and stands where it stood', () => {
    for (const count of [0, 1, 7, 160, 1_001]) {
      expect(resampled({ from, to }, new Int16Array(count))).toHaveLength(Math.ceil((count * to) / from));
    }
    const step = new Int16Array(from / 10).fill(10_000, Math.round(from / 20));
    const out = resampled({ from, to }, step);
    const half = out.findIndex((sample) => sample >= 5_000);
    expect(Math.abs(half / to - 0.05)).toBeLessThan(1.01 / to + 1 / from);
  });
});

describe.each(PAIRS.filter(({ from, to }) => from > to))('$from down to $to', ({ from, to }) => {
  test('what the lower rate cannot carry is 60 dB down and not folded back', () => {
    const loud = levelDbov(sine(1_000, 8_000));
    for (const share of [1.01, 1.1, 1.3, 1.9]) {
      if ((share * to) / 2 >= from / 2) continue;
      expect(levelDbov(middleOf(Math.round((share * to) / 2), { from, to }))).toBeLessThan(loud - 60);
    }
  });
});

describe('Resampler', () => {
  test('however the stream is cut, the output is the same to the bit', () => {
    const rate = fc.integer({ min: 4_000, max: 50_000 });
    fc.assert(
      fc.property(rate, rate, fc.nat(), fc.constantFrom(1, 7, 160, 3_000), (from, to, seed, most) => {
        const stream = noise(5_000, 8_000, seed);
        const pieces = cut(stream, new SeededRandom(seed), most);
        expect(resampled({ from, to }, ...pieces)).toEqual(resampled({ from, to }, stream));
      }),
      { numRuns: 12 },
    );
  });

  test('no click where pieces meet: a sine stays a sine', () => {
    const pieces = cut(sine(440, 44_100, { rate: 44_100 }), new SeededRandom(1), 441);
    const out = resampled({ from: 44_100, to: 8_000 }, ...pieces).subarray(200, 7_800);
    const ideal = sine(440, 8_000).subarray(200, 7_800);
    expect(Math.max(...out.map((sample, i) => Math.abs(sample - (ideal[i] ?? 0))))).toBeLessThanOrEqual(12);
  });

  test('a whole file goes through in one piece', () => {
    const out = resampled({ from: 16_000, to: 8_000 }, sine(440, 100_000, { rate: 16_000 }));
    expect(out).toHaveLength(50_000);
    expect(toneDbov(out.subarray(40_000, 48_000), 440)).toBeCloseTo(levelDbov(sine(440, 8_000)), 1);
  });

  test('full scale is saturated, and does not wrap round', () => {
    const square = Int16Array.from({ length: 4_000 }, (_none, i) => (i % 40 < 20 ? 32_767 : -32_768));
    const out = resampled({ from: 8_000, to: 16_000 }, square);
    expect(Math.max(...out)).toBe(32_767);
    expect([...out].filter((sample, i) => Math.abs(sample - (out[i - 1] ?? 0)) > 40_000)).toEqual([]);
  });

  test('the same rate: a copy', () => {
    const input = Int16Array.of(1, 2, 3);
    const out = new Resampler({ from: 8_000, to: 8_000 }).process(input);
    input[0] = 9;
    expect([...out]).toEqual([1, 2, 3]);
    expect(resampled({ from: 8_000, to: 8_000 }, input)).toHaveLength(3);
  });

  test('after a flush another stream may begin', () => {
    const resampler = new Resampler({ from: 11_025, to: 8_000 });
    const run = (): Int16Array => joined(resampler.process(noise(1_000, 5_000, 3)), resampler.flush());
    expect(run()).toEqual(run());
  });

  test.each([3_999, 192_001, 8_000.5, Number.NaN, 0, -8_000])('a rate of %d is a misuse', (rate) => {
    expect(() => new Resampler({ from: rate, to: 8_000 })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', message: expect.stringContaining('from') }),
    );
    expect(() => new Resampler({ from: 8_000, to: rate })).toThrow('expected a whole number from 4000 to 192000');
  });
});
