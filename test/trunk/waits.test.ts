import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/base/random.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { Pacer } from '../../src/trunk/pacer.js';
import { refreshDelayMs, retryDelayMs } from '../../src/trunk/waits.js';

/** Draws the highest number each time, or the lowest. */
const extreme = (highest: boolean): Random => {
  const random = new SeededRandom(1);
  return { bytes: (count) => random.bytes(count), token: () => 't', integer: (below) => (highest ? below - 1 : 0) };
};
const LOW = extreme(false);
const HIGH = extreme(true);

describe('refreshDelayMs', () => {
  test.each([
    [3600, 3_120_000, 3_480_000],
    [300, 195_000, 225_000],
    [120, 68_000, 80_000],
    [60, 21_000, 27_000],
    [10, 5_000, 5_000],
    [1, 5_000, 5_000],
  ])('a grant of %i s: refreshed after %i to %i ms', (granted, least, most) => {
    expect(refreshDelayMs(granted, HIGH)).toBe(least);
    expect(refreshDelayMs(granted, LOW)).toBe(most);
  });

  test('grants of a minute and more leave 32 s for a first server that is dead (RFC 3261 timer F)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 2 ** 32 - 1 }), fc.integer(), (granted, seed) => {
        const delay = refreshDelayMs(granted, new SeededRandom(seed));
        expect(granted * 1000 - delay).toBeGreaterThan(32_000);
        expect(delay).toBeGreaterThan(granted * 300);
      }),
    );
  });
});

describe('retryDelayMs: RFC 5626 §4.5', () => {
  test.each([
    [1, 30_000, 60_000],
    [2, 60_000, 120_000],
    [5, 480_000, 960_000],
    [6, 900_000, 1_800_000],
    [1000, 900_000, 1_800_000],
  ])('after %i failures: %i to %i ms', (failures, least, most) => {
    expect(retryDelayMs(failures, HIGH)).toBe(least);
    expect(retryDelayMs(failures, LOW)).toBe(most);
  });

  test('Retry-After is waited out, with a tenth of jitter, an hour at most', () => {
    expect(retryDelayMs(1, LOW, 600)).toBe(600_000);
    expect(retryDelayMs(1, HIGH, 600)).toBe(660_000);
    expect(retryDelayMs(1, HIGH, 10)).toBe(30_000);
    expect(retryDelayMs(1, LOW, 2 ** 32 - 1)).toBe(3_600_000);
  });
});

describe('Pacer', () => {
  test('never before it is asked, never more than so many in a second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 }),
        fc.integer(),
        (perSecond, gaps, seed) => {
          const pacer = new Pacer({ perSecond, random: new SeededRandom(seed) });
          let now = 0;
          const times = gaps.map((gap) => {
            now += gap;
            const at = pacer.reserve(now);
            expect(at).toBeGreaterThanOrEqual(now);
            return at;
          });
          times.sort((a, b) => a - b);
          // Each stands somewhere in its own slot: one more than the rate can fall into any second.
          times.forEach((at, i) =>
            expect((times[i + perSecond + 1] ?? at + 1000) - at).toBeGreaterThanOrEqual(1000 - 1e-6),
          );
        },
      ),
    );
  });
});
