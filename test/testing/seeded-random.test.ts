import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const draw = (random: SeededRandom, count: number): number[] => Array.from({ length: count }, () => random.next());

describe('SeededRandom', () => {
  test('the same seed gives the same stream, another seed another', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        expect(draw(new SeededRandom(a), 20)).toEqual(draw(new SeededRandom(a), 20));
        if (a !== b) expect(draw(new SeededRandom(a), 20)).not.toEqual(draw(new SeededRandom(b), 20));
      }),
    );
  });

  test('a fork depends on the seed and its name, not on earlier draws', () => {
    const fresh = new SeededRandom(1);
    const used = new SeededRandom(1);
    draw(used, 100);
    expect(draw(used.fork('loss'), 10)).toEqual(draw(fresh.fork('loss'), 10));
    expect(draw(fresh.fork('loss'), 10)).not.toEqual(draw(fresh.fork('delay'), 10));
    expect(draw(fresh.fork('a').fork('b'), 5)).not.toEqual(draw(fresh.fork('b').fork('a'), 5));
  });

  test('integers fill their range evenly (chi-square over 16 cells)', () => {
    const random = new SeededRandom('even');
    const cells = new Array<number>(16).fill(0);
    const draws = 32_000;
    for (let i = 0; i < draws; i++) {
      const cell = random.integer(16);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = draws / 16;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(37.7); // 99.9 % quantile for 15 degrees of freedom
  });

  test('chance holds its probability, and 0 and 1 are sure', () => {
    const random = new SeededRandom(7);
    let hits = 0;
    for (let i = 0; i < 20_000; i++) if (random.chance(0.05)) hits++;
    expect(hits).toBeGreaterThan(900);
    expect(hits).toBeLessThan(1100);
    for (let i = 0; i < 100; i++) {
      expect(random.chance(0)).toBe(false);
      expect(random.chance(1)).toBe(true);
    }
  });

  test('tokens are lower-case hexadecimal of the asked length, and do not repeat', () => {
    const random = new SeededRandom(3);
    expect(random.token()).toMatch(/^[0-9a-f]{24}$/);
    expect(random.token(32)).toMatch(/^[0-9a-f]{8}$/);
    const tokens = new Set(Array.from({ length: 5000 }, () => random.token()));
    expect(tokens.size).toBe(5000);
  });

  test('bytes and between stay in range', () => {
    const random = new SeededRandom(4);
    expect(random.bytes(0)).toHaveLength(0);
    expect(random.bytes(33)).toHaveLength(33);
    for (let i = 0; i < 1000; i++) {
      const value = random.between(5, 40);
      expect(value).toBeGreaterThanOrEqual(5);
      expect(value).toBeLessThan(40);
    }
  });
});
