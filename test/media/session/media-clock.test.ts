import { describe, expect, test } from 'vitest';
import type { Millis } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { Cancel, Scheduler } from '../../../src/base/scheduler.js';
import { BEAT_MS, MediaClock } from '../../../src/media/session/media-clock.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { RecordingLogger } from '../../../src/testing/recording-logger.js';

function clockOn(scheduler: Scheduler): { clock: MediaClock; log: RecordingLogger } {
  const log = new RecordingLogger(() => scheduler.now());
  return { clock: new MediaClock({ scheduler, logger: log }), log };
}

/** A machine whose timers fire late, as under load. */
class LateScheduler implements Scheduler {
  readonly manual = new ManualClock();
  lateMs = 0;

  now(): Millis {
    return this.manual.now();
  }

  wallTime(): number {
    return this.manual.wallTime();
  }

  at(deadline: Millis, task: () => void): Cancel {
    return this.manual.at(Math.max(deadline, this.manual.now()) + this.lateMs, task);
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.at(this.now() + delayMs, task);
  }
}

describe('the beat of all media', () => {
  test('each stream every packet time, exactly, whatever others there are', () => {
    const manual = new ManualClock({ startMs: 1234.5 });
    const { clock } = clockOn(manual);
    const times = new Map<number, number[]>();
    for (const period of [10, 20, 30, 40, 60]) {
      const own: number[] = [];
      times.set(period, own);
      clock.every(period, () => own.push(manual.now()));
    }
    manual.advanceSync(12_000);
    for (const [period, own] of times) {
      expect(own.length).toBe(12_000 / period);
      const off = own.map((at, i) => Math.abs(at - (own[0] ?? 0) - i * period));
      expect(Math.max(...off)).toBeLessThan(1e-6);
    }
  });

  test('timers that fire late add up to no drift: after ten minutes every beat has come once', () => {
    const scheduler = new LateScheduler();
    scheduler.lateMs = 3.7;
    const { clock } = clockOn(scheduler);
    let count = 0;
    clock.every(20, () => count++);
    scheduler.manual.advanceSync(600_000);
    expect(count).toBeGreaterThanOrEqual(30_000 - 1);
    expect(clock.skippedBeats).toBe(0);
  });

  test('three hundred streams of 20 ms are spread over its ten beats, each with 50 a second', () => {
    const manual = new ManualClock();
    const { clock } = clockOn(manual);
    const atTime = new Map<number, number>();
    const counts = new Array<number>(300).fill(0);
    for (let i = 0; i < 300; i++) {
      clock.every(20, () => {
        counts[i] = (counts[i] ?? 0) + 1;
        atTime.set(manual.now(), (atTime.get(manual.now()) ?? 0) + 1);
      });
    }
    manual.advanceSync(10_000);
    expect(new Set(counts)).toEqual(new Set([500]));
    expect(new Set(atTime.values())).toEqual(new Set([30]));
  });

  test('a wake-up that is a little late catches up; one that is very late leaves out what is too old, without a burst', () => {
    const scheduler = new LateScheduler();
    const { clock } = clockOn(scheduler);
    const beats: number[] = [];
    clock.every(10, (beat) => beats.push(beat * BEAT_MS));
    /** The beat after the next comes late. */
    const stall = (ms: number): number[] => {
      scheduler.lateMs = ms;
      scheduler.manual.advanceSync(10);
      scheduler.lateMs = 0;
      beats.length = 0;
      scheduler.manual.advanceSync(10 + ms);
      return [...beats];
    };
    scheduler.manual.advanceSync(100);
    expect(beats).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(stall(50)).toEqual([120, 130, 140, 150, 160, 170]);
    expect(clock.skippedBeats).toBe(0);
    expect(stall(1000)).toEqual([1090, 1100, 1110, 1120, 1130, 1140, 1150, 1160, 1170, 1180, 1190]);
    expect(clock.skippedBeats * BEAT_MS).toBe(900);
    scheduler.manual.advanceSync(20);
    expect(beats.slice(-2)).toEqual([1200, 1210]);
  });

  test('a packet time longer than what is caught up loses nothing where nothing is late; no timer fires in between', () => {
    const manual = new ManualClock();
    const { clock } = clockOn(manual);
    const beats: number[] = [];
    clock.every(200, (beat) => beats.push(beat * BEAT_MS));
    expect(manual.pending).toBe(1);
    manual.advanceSync(1000);
    expect(beats).toEqual([200, 400, 600, 800, 1000]);
    expect(clock.skippedBeats).toBe(0);
  });

  test('one who comes while a later beat is waited for is served in its own time', () => {
    const manual = new ManualClock();
    const { clock } = clockOn(manual);
    clock.every(200, () => {});
    const times: number[] = [];
    clock.every(10, () => times.push(manual.now()));
    manual.advanceSync(30);
    expect(times).toEqual([10, 20, 30]);
  });

  test('one who comes while a beat is overdue takes it from nobody', () => {
    const scheduler = new LateScheduler();
    const { clock } = clockOn(scheduler);
    const beats: number[] = [];
    scheduler.lateMs = 50;
    clock.every(20, (beat) => beats.push(beat * BEAT_MS));
    scheduler.lateMs = 0;
    scheduler.manual.advanceSync(45);
    clock.every(10, () => {});
    scheduler.manual.advanceSync(25);
    expect(beats).toEqual([20, 40, 60]);
  });

  test('one who comes while beats are overdue is not called for those, but from its own first beat on', () => {
    const scheduler = new LateScheduler();
    const { clock } = clockOn(scheduler);
    const beats: number[] = [];
    scheduler.lateMs = 50;
    clock.every(10, () => {});
    scheduler.lateMs = 0;
    scheduler.manual.advanceSync(45);
    clock.every(10, (beat) => beats.push(beat * BEAT_MS));
    scheduler.manual.advanceSync(25);
    expect(beats.length).toBeGreaterThanOrEqual(2);
    expect(beats.length).toBeLessThanOrEqual(3);
    expect(Math.min(...beats)).toBeGreaterThan(45);
  });

  test('a logger of the host that throws costs one beat, not all audio of the process', () => {
    const manual = new ManualClock();
    const logger = {
      ...silentLogger,
      error: () => {
        throw new Error('the disk is full');
      },
    };
    const clock = new MediaClock({ scheduler: manual, logger });
    let broken = true;
    let count = 0;
    clock.every(20, () => {
      if (broken) throw new Error('broken');
      count++;
    });
    expect(() => manual.advanceSync(20)).toThrow('the disk is full');
    broken = false;
    manual.advanceSync(40);
    expect(count).toBe(2);
    clock.every(20, () => count++);
    manual.advanceSync(40);
    expect(count).toBe(6);
  });

  test('no timer while there is no stream; a stream that leaves in the middle of a beat is not called again', () => {
    const manual = new ManualClock();
    const { clock } = clockOn(manual);
    expect(manual.pending).toBe(0);
    const undo: Cancel[] = [];
    let late = 0;
    undo.push(clock.every(10, () => undo.forEach((each) => each())));
    const others = Array.from({ length: 4 }, () => clock.every(10, () => {}));
    // As many as there are beats: the next one shares the first one's.
    undo.push(clock.every(10, () => late++));
    for (const cancel of others) cancel();
    expect(clock.size).toBe(2);
    manual.advanceSync(50);
    expect(late).toBe(0);
    expect(clock.size).toBe(0);
    expect(manual.pending).toBe(0);
    clock.every(10, () => late++);
    manual.advanceSync(30);
    expect(late).toBe(3);
  });

  test('a stream that throws is logged and stops no other', () => {
    const manual = new ManualClock();
    const { clock, log } = clockOn(manual);
    let count = 0;
    clock.every(20, () => {
      throw new Error('broken');
    });
    clock.every(20, () => count++);
    manual.advanceSync(200);
    expect(count).toBe(10);
    expect(log.lines('error').some(({ text }) => text?.includes('broken') === true)).toBe(true);
  });

  test.each([0, 5, 15, 210, Number.NaN, -20])('no period of %s ms', (period) => {
    const { clock } = clockOn(new ManualClock());
    expect(() => clock.every(period, () => {})).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });
});
