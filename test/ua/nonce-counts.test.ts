import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { NonceCounts } from '../../src/ua/nonce-counts.js';

test('RFC 7616 §3.4: whatever the order, no count is taken twice, and every count within 32 of the highest is taken once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(90), { maxLength: 80 }), (order) => {
      const counts = new NonceCounts({ clock: new ManualClock(), capacity: 4, lifetimeMs: 1000 });
      const taken = new Set<number>();
      let highest = -1;
      for (const nc of order) {
        const expected = !taken.has(nc) && (highest < 0 || nc > highest - 32);
        expect(counts.use('nonce', nc, 0)).toBe(expected);
        if (expected) taken.add(nc);
        highest = Math.max(highest, nc);
      }
    }),
  );
});

test('the largest count of eight digits', () => {
  const counts = new NonceCounts({ clock: new ManualClock(), capacity: 4, lifetimeMs: 1000 });
  expect([1, 0xffffffff, 0xffffffff, 0xfffffffe, 2].map((nc) => counts.use('n', nc, 0))).toEqual([
    ...[true, true, false, true, false],
  ]);
});

test('counts go away after their nonce', async () => {
  const clock = new ManualClock();
  const counts = new NonceCounts({ clock, capacity: 100, lifetimeMs: 1000 });
  for (let i = 0; i < 50; i++) counts.use(`n${i}`, 1, 0);
  await clock.advance(3000);
  counts.use('last', 1, 0);
  expect(counts.size).toBe(1);
});
