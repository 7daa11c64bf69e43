import { describe, expect, test } from 'vitest';
import { TimerTable } from '../../src/base/timer-table.js';

describe('TimerTable', () => {
  test('next is the earliest deadline; setting again moves it', () => {
    const timers = new TimerTable<'A' | 'B'>();
    expect(timers.next).toBeUndefined();
    timers.set('A', 500);
    timers.set('B', 32_000);
    expect(timers.next).toBe(500);
    timers.set('A', 40_000);
    expect(timers.next).toBe(32_000);
    expect(timers.get('A')).toBe(40_000);
  });

  test('each due timer is taken once, the earliest first, the first set first on a tie', () => {
    const timers = new TimerTable<'A' | 'B' | 'C' | 'D'>();
    timers.set('A', 20);
    timers.set('B', 10);
    timers.set('C', 10);
    timers.set('D', 31);
    const taken = [];
    for (let name = timers.takeDue(30); name !== undefined; name = timers.takeDue(30)) taken.push(name);
    expect(taken).toEqual(['B', 'C', 'A']);
    expect(timers.next).toBe(31);
  });

  test('a cleared timer does not fire', () => {
    const timers = new TimerTable<'A' | 'B'>();
    timers.set('A', 1);
    timers.set('B', 2);
    timers.clear('A');
    expect(timers.takeDue(1)).toBeUndefined();
    expect(timers.get('A')).toBeUndefined();
    timers.clearAll();
    expect(timers.takeDue(2)).toBeUndefined();
    expect(timers.next).toBeUndefined();
  });
});
