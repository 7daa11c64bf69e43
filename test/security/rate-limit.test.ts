import { describe, expect, test } from 'vitest';
import { RateLimiter, type RateLimitSettings } from '../../src/security/rate-limit.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

function limiter(settings: RateLimitSettings) {
  const clock = new ManualClock();
  const rate = new RateLimiter({ ...settings, clock });
  /** How many of `count` are taken. */
  const send = (address: string, count: number): number =>
    Array.from({ length: count }, () => rate.admit(address)).filter((taken) => taken).length;
  return { clock, rate, send };
}

describe('a bucket of tokens for each source', () => {
  test('a burst at once, then the rate; a pause fills it again', () => {
    const { clock, rate, send } = limiter({ perSecond: 10, burst: 20 });
    expect(send('192.0.2.1', 100)).toBe(20);
    clock.advanceSync(1_000);
    expect(send('192.0.2.1', 100)).toBe(10);
    clock.advanceSync(60_000);
    expect(send('192.0.2.1', 100)).toBe(20);
    expect(rate.stats()).toEqual({ sources: 1, refused: 250 });
  });

  test('a rate below one a second, and a steady stream just below the rate', () => {
    const { clock, send } = limiter({ perSecond: 0.5, burst: 1 });
    let taken = 0;
    for (let i = 0; i < 100; i++) {
      taken += send('192.0.2.1', 1);
      clock.advanceSync(2_001);
    }
    expect(taken).toBe(100);
  });

  test('the default burst is five seconds of the rate', () => {
    expect(limiter({ perSecond: 7 }).send('192.0.2.1', 100)).toBe(35);
  });

  test('one source does not hinder another; the networks of `allow` have no limit', () => {
    const { rate, send } = limiter({ perSecond: 1, burst: 2, allow: ['10.0.0.0/8', '2001:db8::/32'] });
    expect(send('192.0.2.1', 10)).toBe(2);
    expect(send('192.0.2.2', 10)).toBe(2);
    expect(send('10.1.2.3', 10)).toBe(10);
    expect(send('2001:db8::7', 10)).toBe(10);
    expect(rate.stats().sources).toBe(2);
  });

  test('an IPv6 source is its /64 network', () => {
    const { send } = limiter({ perSecond: 1, burst: 3 });
    expect(send('2001:db8::1', 2)).toBe(2);
    expect(send('2001:db8::2', 2)).toBe(1);
    expect(send('2001:db8:0:1::1', 2)).toBe(2);
  });

  test('the table is bounded: the oldest source begins anew, the others go on', () => {
    const { rate, send } = limiter({ perSecond: 1, burst: 1, maxSources: 3 });
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) expect(send(address, 2)).toBe(1);
    expect(rate.stats()).toEqual({ sources: 3, refused: 4 });
    expect(send('192.0.2.4', 1)).toBe(0);
    expect(send('192.0.2.1', 1)).toBe(1);
  });

  test('fifty thousand sources cost no more than the table', () => {
    const { rate } = limiter({ perSecond: 1, burst: 1, maxSources: 1_000 });
    for (let i = 0; i < 50_000; i++) rate.admit(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
    expect(rate.stats().sources).toBe(1_000);
  });

  test.each([
    [{ perSecond: 0 }, 'perSecond: found 0, expected more than 0'],
    [{ perSecond: Number.NaN }, 'perSecond: found NaN'],
    [{ perSecond: 1, burst: 0.5 }, 'burst: found 0.5, expected 1 or more'],
    [{ perSecond: 1, maxSources: 0 }, 'maxSources: found 0'],
    [{ perSecond: 1, allow: ['office'] }, 'found "office"'],
  ] as const)('%j is refused', (settings, message) => {
    expect(() => limiter(settings)).toThrow(message);
  });
});
