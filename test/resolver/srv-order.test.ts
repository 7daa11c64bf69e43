import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SrvRecord } from '../../src/net/dns.js';
import { orderSrv } from '../../src/resolver/srv-order.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const record = (target: string, priority: number, weight: number): SrvRecord => ({
  target,
  priority,
  weight,
  port: 5060,
});

/** How often each comes first. */
function firsts(records: readonly SrvRecord[], draws: number): Record<string, number> {
  const random = new SeededRandom(7);
  const counts: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    const first = orderSrv(records, random)[0]?.target ?? '';
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts;
}

describe('RFC 2782: the order of SRV records', () => {
  it('is by priority, whatever the weights', () => {
    const records = [record('c', 30, 65_535), record('a', 10, 0), record('b', 20, 9)];
    for (let seed = 0; seed < 20; seed++)
      expect(orderSrv(records, new SeededRandom(seed)).map(({ target }) => target)).toEqual(['a', 'b', 'c']);
  });

  it('each comes first as often as its share of the weights: 70 %, 20 %, 10 %', () => {
    const counts = firsts([record('a', 1, 70), record('b', 1, 20), record('c', 1, 10)], 10_000);
    expect(Math.abs((counts['a'] ?? 0) / 10_000 - 0.7)).toBeLessThan(0.02);
    expect(Math.abs((counts['b'] ?? 0) / 10_000 - 0.2)).toBeLessThan(0.02);
    expect(Math.abs((counts['c'] ?? 0) / 10_000 - 0.1)).toBeLessThan(0.02);
  });

  it('weight 0 beside others is rarely first, and not never', () => {
    const zero = firsts([record('zero', 1, 0), record('a', 1, 1), record('b', 1, 1)], 10_000)['zero'] ?? 0;
    expect(zero).toBeGreaterThan(0);
    expect(zero / 10_000).toBeLessThan(0.02);
  });

  it('without any weight all share alike', () => {
    const counts = firsts([record('a', 1, 0), record('b', 1, 0), record('c', 1, 0), record('d', 1, 0)], 8_000);
    for (const target of ['a', 'b', 'c', 'd'])
      expect(Math.abs((counts[target] ?? 0) / 8_000 - 0.25)).toBeLessThan(0.03);
  });

  it('loses and invents nothing, and never puts a higher priority number first', () => {
    const records = fc.array(
      fc.record({ priority: fc.nat(3), weight: fc.nat(65_535), port: fc.nat(65_535), target: fc.string() }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(records, fc.integer(), (given, seed) => {
        const ordered = orderSrv(given, new SeededRandom(seed));
        expect(new Set(ordered)).toEqual(new Set(given));
        expect(ordered).toHaveLength(given.length);
        for (const [i, each] of ordered.entries())
          expect(each.priority).toBeGreaterThanOrEqual(ordered[i - 1]?.priority ?? 0);
      }),
    );
  });
});
