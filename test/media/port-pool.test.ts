import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PortPair, PortPool } from '../../src/media/port-pool.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { SettableClock } from '../../src/testing/settable-clock.js';

function setUp(options: { from?: number; to?: number; quarantineMs?: number; seed?: number } = {}) {
  const clock = new SettableClock(0);
  const { seed = 1, ...rest } = options;
  return { clock, pool: new PortPool({ ...rest, scheduler: clock, random: new SeededRandom(seed) }) };
}

describe('port pool', () => {
  test('RFC 3550 §11: an even port for RTP and the next one for RTCP, by default below the ephemeral ports', () => {
    const { pool } = setUp();
    expect(pool.stats).toEqual({ total: 5000, free: 5000, used: 0, resting: 0 });
    const pairs = Array.from({ length: 5000 }, () => pool.take());
    const seen = new Set(pairs.map(({ rtp }) => rtp));
    expect(pairs.every(({ rtp, rtcp }) => rtp % 2 === 0 && rtcp === rtp + 1)).toBe(true);
    expect(seen.size).toBe(5000);
    expect(Math.min(...seen)).toBe(20_000);
    expect(Math.max(...seen)).toBe(29_998);
  });

  test('the order in which pairs come is not that of their numbers', () => {
    const { pool } = setUp();
    const first = Array.from({ length: 20 }, () => pool.take().rtp);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
    expect(new Set(first.slice(1).map((port, i) => port - (first[i] as number))).size).toBeGreaterThan(10);
  });

  test('an odd first port is passed over', () => {
    const { pool } = setUp({ from: 20_001, to: 20_002 });
    expect(pool.take().rtp).toBe(20_002);
  });

  test('a pair that was given back rests in quarantine', () => {
    const { clock, pool } = setUp({ from: 20_000, to: 20_000, quarantineMs: 10_000 });
    pool.take().giveBack();
    expect(pool.stats).toEqual({ total: 1, free: 0, used: 0, resting: 1 });
    clock.advance(9_999);
    expect(() => pool.take()).toThrow(/1 were given back less than 10 s ago/);
    clock.advance(1);
    expect(pool.stats).toEqual({ total: 1, free: 1, used: 0, resting: 0 });
    expect(pool.take().rtp).toBe(20_000);
  });

  test('a pair that nobody was told of needs no rest', () => {
    const { pool } = setUp({ from: 20_000, to: 20_002 });
    const pair = pool.take();
    pair.giveBack(true);
    pair.giveBack();
    expect(pool.stats).toEqual({ total: 2, free: 2, used: 0, resting: 0 });
  });

  test('an exhausted pool says so, with numbers and advice', () => {
    const { pool } = setUp({ from: 20_000, to: 20_002 });
    pool.take();
    pool.take();
    expect(() => pool.take()).toThrow(
      expect.objectContaining({
        code: 'MEDIA_NO_PORT',
        kind: 'transport',
        message: expect.stringMatching(/from 20000 to 20002: 2 pairs are in use, 0 .* widen the range/),
      }),
    );
  });

  test.each([
    { from: 20_000, to: 19_998 },
    { from: 20_001, to: 20_001 },
    { from: 1022, to: 2000 },
    { from: 20_000, to: 65_535 },
    { from: 20_000.5, to: 20_010 },
    { from: Number.NaN, to: 20_010 },
  ])('a range from $from to $to is refused', (range) => {
    expect(() => setUp(range)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', kind: 'misuse' }));
  });

  test('whatever is taken, given back and given back again: no pair is lent twice and none is lost', () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('take' as const) }),
      fc.record({ act: fc.constant('giveBack' as const), which: fc.nat(40) }),
      fc.record({ act: fc.constant('wait' as const), ms: fc.nat(700) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.nat(), (steps, seed) => {
        const { clock, pool } = setUp({ from: 20_000, to: 20_018, quarantineMs: 1000, seed });
        const everTaken: PortPair[] = [];
        const lent = new Map<number, PortPair>();
        const restsUntil = new Map<number, number>();
        for (const each of steps) {
          if (each.act === 'wait') clock.advance(each.ms);
          else if (each.act === 'giveBack') {
            const pair = everTaken[each.which];
            pair?.giveBack();
            if (pair !== undefined && lent.get(pair.rtp) === pair) {
              lent.delete(pair.rtp);
              restsUntil.set(pair.rtp, clock.now() + 1000);
            }
          } else if (pool.stats.free > 0) {
            const pair = pool.take();
            expect(lent.has(pair.rtp)).toBe(false);
            expect(restsUntil.get(pair.rtp) ?? 0).toBeLessThanOrEqual(clock.now());
            lent.set(pair.rtp, pair);
            everTaken.push(pair);
          }
          const { total, free, used, resting } = pool.stats;
          expect(free + used + resting).toBe(total);
          expect(used).toBe(lent.size);
        }
        for (const pair of lent.values()) pair.giveBack();
        clock.advance(1000);
        expect(pool.stats).toEqual({ total: 10, free: 10, used: 0, resting: 0 });
      }),
    );
  });
});
