import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExpiringMap } from '../../src/base/expiring-map.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

describe('ExpiringMap', () => {
  test('an entry lives until just before it expires', () => {
    const map = new ExpiringMap<string, number>({ capacity: 10 });
    map.set('a', 1, 100, 0);
    expect(map.get('a', 99)).toBe(1);
    expect(map.get('a', 100)).toBeUndefined();
    expect(map.size).toBe(0);
  });

  test('beyond its capacity the entry set longest ago goes; setting again counts as new', () => {
    const map = new ExpiringMap<string, number>({ capacity: 2 });
    map.set('a', 1, 1000, 0);
    map.set('b', 2, 1000, 0);
    map.set('a', 3, 1000, 0);
    map.set('c', 4, 1000, 0);
    expect([map.get('a', 1), map.get('b', 1), map.get('c', 1)]).toEqual([3, undefined, 4]);
    expect(map.size).toBe(2);
  });

  test('expired entries are swept by later calls, so that a full map loses no live entry to dead ones', () => {
    const map = new ExpiringMap<string, number>({ capacity: 3 });
    map.set('live', 0, 100_000, 0);
    map.set('dead1', 1, 1500, 0);
    map.set('dead2', 2, 1500, 0);
    map.set('new', 3, 100_000, 2000);
    expect(map.size).toBe(2);
    expect(map.get('live', 2000)).toBe(0);
  });

  test('entries that end in the order in which they were set go within a second or two', () => {
    const map = new ExpiringMap<number, number>({ capacity: 100_000 });
    for (let now = 0; now < 100_000; now += 10) map.set(now, now, now + 37_000, now);
    expect(map.size).toBeLessThanOrEqual(3_900);
  });

  test('behind one that lives long the dead wait for half a minute at most', () => {
    const map = new ExpiringMap<number, number>({ capacity: 100_000 });
    map.set(-1, 0, 1e9, 0);
    for (let now = 0; now < 100_000; now += 10) map.set(now, now, now + 100, now);
    expect(map.size).toBeLessThanOrEqual(3_100);
  });

  test('with a scheduler what has expired goes without another call, and no timer is left', () => {
    const clock = new ManualClock();
    const map = new ExpiringMap<string, number>({ capacity: 10, scheduler: clock });
    map.set('a', 1, 5000, clock.now());
    clock.advanceSync(3000);
    map.set('b', 2, 8000, clock.now());
    expect(map.size).toBe(2);
    clock.advanceSync(2000);
    expect(map.size).toBe(1);
    clock.advanceSync(3000);
    expect(map.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('clear takes its timer away', () => {
    const clock = new ManualClock();
    const map = new ExpiringMap<string, number>({ capacity: 10, scheduler: clock });
    map.set('a', 1, 5000, clock.now());
    map.clear();
    expect(clock.pending).toBe(0);
  });

  test('once closed it takes nothing more, and no timer comes about', () => {
    const clock = new ManualClock();
    const map = new ExpiringMap<string, number>({ capacity: 10, scheduler: clock });
    map.set('a', 1, 5000, clock.now());
    map.close();
    expect([map.size, clock.pending]).toEqual([0, 0]);
    map.set('a', 1, 5000, clock.now());
    expect([map.size, clock.pending]).toEqual([0, 0]);
  });

  test('delete and clear', () => {
    const map = new ExpiringMap<string, number>({ capacity: 3 });
    map.set('a', 1, 10, 0);
    map.set('b', 1, 10, 0);
    expect(map.delete('a')).toBe(true);
    expect(map.delete('a')).toBe(false);
    map.clear();
    expect(map.size).toBe(0);
  });

  test('never more than its capacity, never an expired or a foreign value', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.tuple(fc.nat(9), fc.nat(3000), fc.nat(700)), { maxLength: 60 }),
        (capacity, calls) => {
          const map = new ExpiringMap<number, number>({ capacity });
          const truth = new Map<number, { readonly value: number; readonly expires: number }>();
          let now = 0;
          calls.forEach(([key, life, pause], i) => {
            now += pause;
            map.set(key, i, now + life, now);
            truth.set(key, { value: i, expires: now + life });
            expect(map.size).toBeLessThanOrEqual(capacity);
            for (const [each, { value, expires }] of truth) {
              const found = map.get(each, now);
              if (found !== undefined) expect(found).toBe(value);
              if (expires <= now) expect(found).toBeUndefined();
              if (each === key && expires > now) expect(found).toBe(i);
            }
          });
        },
      ),
    );
  });
});
