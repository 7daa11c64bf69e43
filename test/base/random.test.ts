import { describe, expect, test } from 'vitest';
import { SystemRandom, toHex } from '../../src/base/random.js';

describe('SystemRandom', () => {
  test('tokens are lower-case hexadecimal of the asked bits and do not repeat, across pool refills', () => {
    const random = new SystemRandom();
    expect(random.token()).toMatch(/^[0-9a-f]{24}$/);
    expect(random.token(32)).toMatch(/^[0-9a-f]{8}$/);
    expect(random.token(65_536)).toMatch(/^[0-9a-f]{16384}$/);
    const tokens = new Set(Array.from({ length: 2000 }, () => random.token()));
    expect(tokens.size).toBe(2000);
  });

  test('integers stay below their bound and reach all of it', () => {
    const random = new SystemRandom();
    const seen = new Set(Array.from({ length: 1000 }, () => random.integer(5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(random.integer(1)).toBe(0);
  });

  test('bytes', () => {
    const random = new SystemRandom();
    expect(random.bytes(0)).toHaveLength(0);
    expect(toHex(random.bytes(32))).not.toBe(toHex(random.bytes(32)));
  });
});

test('toHex writes a view, not the buffer below it', () => {
  expect(toHex(new Uint8Array([0, 1, 0xab, 0xff, 9]).subarray(1, 4))).toBe('01abff');
});
