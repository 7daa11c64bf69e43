import { afterEach, describe, expect, test, vi } from 'vitest';
import { SystemScheduler } from '../../src/base/scheduler.js';

const create = (): { scheduler: SystemScheduler; errors: unknown[] } => {
  const errors: unknown[] = [];
  return { scheduler: new SystemScheduler({ onError: (error) => errors.push(error) }), errors };
};

describe('SystemScheduler (real time)', () => {
  test('tasks run by deadline, never before it, and equal deadlines in order', async () => {
    const { scheduler } = create();
    const start = scheduler.now();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const check = (name: string, deadline: number) => () => {
        expect(scheduler.now()).toBeGreaterThanOrEqual(deadline);
        seen.push(name);
      };
      scheduler.at(start + 6, check('c', start + 6));
      scheduler.at(start + 3, check('a', start + 3));
      scheduler.at(start + 3, check('b', start + 3));
      scheduler.at(start + 9, resolve);
    });
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(scheduler.pending).toBe(0);
  });

  test('a task may set and cancel others', async () => {
    const { scheduler } = create();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const cancel = scheduler.after(4, () => seen.push('cancelled'));
      scheduler.after(1, () => {
        cancel();
        cancel();
        scheduler.after(0, () => seen.push('inner'));
        scheduler.after(6, resolve);
      });
    });
    expect(seen).toEqual(['inner']);
  });

  test('a task that throws is reported and stops nobody', async () => {
    const { scheduler, errors } = create();
    await new Promise<void>((resolve) => {
      scheduler.after(1, () => {
        throw new Error('boom');
      });
      scheduler.after(1, resolve);
    });
    expect(errors).toMatchObject([{ message: 'boom' }]);
  });

  test('an error handler that itself throws does not stop the clock', async () => {
    const thrown: unknown[] = [];
    const onUncaught = (error: unknown): void => {
      thrown.push(error);
    };
    // The exception must surface as any uncaught one does; here it is caught so that the test runner lives on.
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', onUncaught);
    try {
      const scheduler = new SystemScheduler({
        onError: (error) => {
          throw error;
        },
      });
      await new Promise<void>((resolve) => {
        scheduler.after(1, () => {
          throw new Error('boom');
        });
        scheduler.after(3, resolve);
      });
      expect(thrown).toMatchObject([{ message: 'boom' }]);
    } finally {
      process.off('uncaughtException', onUncaught);
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });

  test('no timer of the process is left when nothing waits', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const { scheduler } = create();
    const before = timers();
    const cancels = [
      scheduler.after(60_000, () => {}),
      scheduler.after(30_000, () => {}),
      scheduler.after(2 ** 40, () => {}),
    ];
    expect(timers()).toBe(before + 1);
    for (const cancel of cancels) cancel();
    expect(scheduler.pending).toBe(0);
    expect(timers()).toBe(before);
  });

  test('monotonic and wall time are told apart', () => {
    const { scheduler } = create();
    const wall = scheduler.wallTime();
    expect(wall).toBeGreaterThan(Date.UTC(2020, 0, 1));
    expect(scheduler.now()).toBeLessThan(Date.UTC(2000, 0, 1));
    expect(scheduler.wallTime()).toBeGreaterThanOrEqual(wall);
  });
});

describe('SystemScheduler (faked clock of the process)', () => {
  afterEach(() => vi.useRealTimers());

  test('what is 4 s away or more may be up to 128 ms late, never early, and shares wake-ups', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { scheduler } = create();
    const start = scheduler.now();
    const late: number[] = [];
    const wakeUps = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const deadline = start + 32_000 + i;
      scheduler.at(deadline, () => {
        late.push(scheduler.now() - deadline);
        wakeUps.add(scheduler.now());
      });
    }
    vi.advanceTimersByTime(40_000);
    expect(late).toHaveLength(1000);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(130);
    expect(wakeUps.size).toBeLessThan(12);
    expect(scheduler.pending).toBe(0);
  });

  test('what is nearer runs to the millisecond', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { scheduler } = create();
    const start = scheduler.now();
    const ran: number[] = [];
    for (const delay of [20, 500, 3_999]) scheduler.after(delay, () => ran.push(scheduler.now() - start));
    vi.advanceTimersByTime(5_000);
    expect(ran.map(Math.round)).toEqual([20, 500, 3_999]);
  });
});
