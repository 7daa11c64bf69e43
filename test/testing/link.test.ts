import { describe, expect, test } from 'vitest';
import { inSeries, Link } from '../../src/testing/link.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const link = (): Link => new Link(new SeededRandom(1));

describe('Link', () => {
  test('without conditions everything arrives once, 1 ms later', () => {
    expect(link().datagram({}, 100, 50)).toEqual([101]);
    expect(link().segment({}, 100)).toBe(101);
  });

  test('never earlier than what went before, unless held back', () => {
    const path = link();
    expect(path.datagram({ delayMs: 50 }, 0, 1)).toEqual([50]);
    expect(path.datagram({ delayMs: 10 }, 5, 1)).toEqual([50]);
    const [late] = path.datagram({ delayMs: 10, reorder: 1 }, 60, 1);
    expect(late).toBeGreaterThanOrEqual(80);
    expect(path.datagram({ delayMs: 10 }, 61, 1)).toEqual([71]);
  });

  test('a lost segment has no arrival; a path that loses all loses all', () => {
    const path = link();
    for (let i = 0; i < 100; i++) {
      expect(path.segment({ loss: 1 }, i)).toBeUndefined();
      expect(path.datagram({ loss: 1, duplicate: 1 }, i, 1)).toEqual([]);
    }
  });

  test('two links in a row: delays add up, losses combine, the smaller limit counts', () => {
    const both = inSeries(
      { loss: 0.5, delayMs: 10, maxDatagramBytes: 1400 },
      { loss: 0.5, delayMs: [5, 20], reorder: 0.1 },
    );
    expect(both).toEqual({
      loss: 0.75,
      delayMs: [15, 30],
      reorder: expect.closeTo(0.1),
      duplicate: 0,
      maxDatagramBytes: 1400,
    });
    expect(inSeries({}, {}).delayMs).toEqual([2, 2]);
  });
});
