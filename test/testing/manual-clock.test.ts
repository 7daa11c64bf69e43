import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock, WORLD_EPOCH_MS } from '../../src/testing/manual-clock.js';

describe('ManualClock', () => {
  test('starts at 0 and at a fixed wall time', () => {
    const clock = new ManualClock();
    expect(clock.now()).toBe(0);
    expect(clock.wallTime()).toBe(WORLD_EPOCH_MS);
    expect(new ManualClock({ startMs: 500, wallTimeMs: 7 }).wallTime()).toBe(7);
  });

  test('runs due tasks in order of deadline, each at its own time, and ends at the asked time', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push(`b@${clock.now()}`));
    clock.after(10, () => {
      seen.push(`a@${clock.now()}`);
      clock.after(10, () => seen.push(`d@${clock.now()}`));
    });
    clock.after(20, () => seen.push(`c@${clock.now()}`));
    clock.after(31, () => seen.push('late'));
    await clock.advance(30);
    expect(seen).toEqual(['a@10', 'b@20', 'c@20', 'd@20']);
    expect(clock.now()).toBe(30);
    expect(clock.pending).toBe(1);
  });

  test('promises settle fully between two tasks of one deadline', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const chain = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      seen.push(`chain@${clock.now()}`);
    };
    clock.after(10, () => void chain());
    clock.after(10, () => seen.push('second'));
    await clock.advance(10);
    expect(seen).toEqual(['chain@10', 'second']);
  });

  test('async code awaiting virtual delays takes exactly the virtual time', async () => {
    const clock = new ManualClock();
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
    let endedAt: number | undefined;
    void (async () => {
      for (let i = 0; i < 10; i++) await sleep(100);
      endedAt = clock.now();
    })();
    await clock.advance(5000);
    expect(endedAt).toBe(1000);
  });

  test('a cancelled task never runs, cancelling twice is harmless', async () => {
    const clock = new ManualClock();
    let ran = false;
    const cancel = clock.after(1, () => {
      ran = true;
    });
    cancel();
    cancel();
    await clock.advance(10);
    expect(ran).toBe(false);
    expect(clock.pending).toBe(0);
  });

  test('a deadline in the past runs at the present time', async () => {
    const clock = new ManualClock({ startMs: 100 });
    const seen: number[] = [];
    clock.at(50, () => seen.push(clock.now()));
    await clock.advance(0);
    expect(seen).toEqual([100]);
  });

  test('runUntil stops at the task that makes the condition hold, or at the limit', async () => {
    const clock = new ManualClock();
    let count = 0;
    const tick = (): void => {
      count++;
      clock.after(100, tick);
    };
    clock.after(100, tick);
    expect(await clock.runUntil(() => count === 3, 10_000)).toBe(true);
    expect(clock.now()).toBe(300);
    expect(await clock.runUntil(() => count === 100, 1_050)).toBe(false);
    expect(clock.now()).toBe(1_350);
    expect(count).toBe(13);
  });

  test('runUntil with nothing scheduled waits for real I/O in real time only', async () => {
    const clock = new ManualClock();
    let done = false;
    void import('node:fs/promises').then(async (fs) => {
      await fs.stat('.');
      done = true;
    });
    expect(await clock.runUntil(() => done, 1_000)).toBe(true);
    expect(clock.now()).toBe(0);
  });

  test('hold: time stands still while real I/O is under way', async () => {
    const clock = new ManualClock();
    const fs = await import('node:fs/promises');
    let statAt: number | undefined;
    clock.after(10, () => {
      void clock.hold(fs.stat('.')).then(() => {
        statAt = clock.now();
      });
    });
    clock.after(11, () => {});
    await clock.advance(100);
    expect(statAt).toBe(10);
  });

  test('wall-clock jumps do not touch timers', async () => {
    const clock = new ManualClock();
    let at: number | undefined;
    clock.after(100, () => {
      at = clock.now();
    });
    clock.jumpWallTime(-3_600_000);
    await clock.advance(100);
    expect(at).toBe(100);
    expect(clock.wallTime()).toBe(WORLD_EPOCH_MS + 100 - 3_600_000);
  });

  test('a throwing task fails the advance; the rest can still be run', async () => {
    const clock = new ManualClock();
    let later = false;
    clock.after(1, () => {
      throw new Error('boom');
    });
    clock.after(2, () => {
      later = true;
    });
    await expect(clock.advance(10)).rejects.toThrow('boom');
    expect(clock.now()).toBe(1);
    await clock.advance(10);
    expect(later).toBe(true);
  });

  test('advancing twice at once is refused', async () => {
    const clock = new ManualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toMatchObject({ code: 'PBX_WRONG_STATE', kind: 'misuse' });
    await first;
    expect(clock.now()).toBe(10);
  });

  test('advanceSync runs the same tasks in one turn', () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    clock.after(5, () => {
      seen.push(clock.now());
      clock.after(5, () => seen.push(clock.now()));
    });
    clock.advanceSync(10);
    expect(seen).toEqual([5, 10]);
    expect(clock.now()).toBe(10);
  });

  test('a scope counts and drops its own tasks only', async () => {
    const clock = new ManualClock();
    const [a, b] = [clock.scope(), clock.scope()];
    const seen: string[] = [];
    a.after(30, () => seen.push('a'));
    const cancel = a.after(10, () => seen.push('never'));
    b.after(20, () => seen.push('b'));
    cancel();
    expect([a.pending, b.pending, clock.pending]).toEqual([1, 1, 2]);
    expect(a.deadlines).toEqual([30]);
    a.end();
    a.after(5, () => seen.push('never either'));
    a.jumpWallTime(1000);
    await clock.advance(50);
    expect(seen).toEqual(['b']);
    expect([a.pending, b.pending, clock.pending]).toEqual([0, 0, 0]);
    expect(a.wallTime() - b.wallTime()).toBe(1000);
  });

  test('however time is cut into advances, tasks run in the same order at the same times', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(200), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }),
        async (delays, cuts) => {
          const run = async (steps: readonly number[]): Promise<string[]> => {
            const clock = new ManualClock();
            const seen: string[] = [];
            for (const [i, delay] of delays.entries()) clock.after(delay, () => seen.push(`${i}@${clock.now()}`));
            for (const step of steps) await clock.advance(step);
            return seen;
          };
          const whole = cuts.reduce((sum, cut) => sum + cut, 0);
          expect(await run(cuts)).toEqual(await run([whole]));
        },
      ),
      { numRuns: 30 },
    );
  });
});
