import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LossCount, LossWindow } from '../../../src/protocol/rtp/loss-window.js';

const none = (): LossCount => ({ lost: 0, bursts: 0, longestBurst: 0 });

function countOf(window: LossWindow): LossCount {
  const count = none();
  window.addTo(count);
  return count;
}

/** The same by a list of all that has come. */
function lossesIn(seen: ReadonlySet<number>, first: number, highest: number): LossCount {
  const count = none();
  let run = 0;
  for (let sequence = first; sequence <= highest; sequence++) {
    run = seen.has(sequence) ? 0 : run + 1;
    if (run === 1) count.bursts++;
    if (run > 0) count.lost++;
    count.longestBurst = Math.max(count.longestBurst, run);
  }
  return count;
}

/** How far the next packet is ahead of the highest so far, or behind it. */
const step = fc.oneof(
  { weight: 12, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 400 }) },
  { weight: 4, arbitrary: fc.integer({ min: -127, max: 0 }) },
);

describe('RFC 3550 §A.3: what of the latest packets has come', () => {
  test('losses, groups of them and duplicates are those of a list of all packets', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x10000, max: 2 ** 33 }), fc.array(step, { maxLength: 400 }), (first, steps) => {
        const window = new LossWindow();
        window.begin(first);
        window.take(first);
        const seen = new Set([first]);
        let highest = first;
        for (const ahead of steps) {
          const sequence = highest + ahead;
          expect(window.take(sequence)).toBe(!seen.has(sequence));
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
        expect(window.expected).toBe(highest - first + 1);
        expect(countOf(window)).toEqual(lossesIn(seen, first, highest));
      }),
    );
  });

  test('a late packet makes its loss good up to 127 behind the highest, wherever in the window', () => {
    for (let behind = 1; behind < 128; behind++) {
      const window = new LossWindow();
      window.begin(1000);
      for (let sequence = 1000; sequence <= 1200; sequence++) if (sequence !== 1200 - behind) window.take(sequence);
      expect(countOf(window)).toEqual({ lost: 1, bursts: 1, longestBurst: 1 });
      expect(window.take(1200 - behind)).toBe(true);
      expect(window.take(1200 - behind)).toBe(false);
      expect(countOf(window)).toEqual(none());
    }
  });

  test('anew, nothing of what came before counts', () => {
    const window = new LossWindow();
    window.begin(1);
    for (const sequence of [1, 5, 300]) window.take(sequence);
    window.begin(200);
    expect(window.take(200)).toBe(true);
    expect(window.expected).toBe(1);
    expect(countOf(window)).toEqual(none());
  });
});
