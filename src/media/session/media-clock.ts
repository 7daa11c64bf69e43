import type { Millis } from '../../base/clock.js';
import { errorText, UsageError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';

/** The grid on which all media is sent: every packet time that telephony uses (10, 20, 30, 40 ms) is a multiple of it. */
export const BEAT_MS = 2;

const SHORTEST_PERIOD_MS = 10;
const LONGEST_PERIOD_MS = 200;

/** After a late wake-up at most so many beats are caught up; what is older is left out, for nobody could still play it in time. */
const MAX_CATCH_UP_BEATS = 100 / BEAT_MS;

/** What a stream does when its time has come. `beat` counts beats since the clock began: streams tell a gap by it. */
export type BeatTask = (beat: number) => void;

export interface MediaClockOptions {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/**
 * One beat for the media of a whole process. Deadlines are counted from the start, so that no lateness adds up; streams of one
 * period are spread evenly over its beats: a hundred that send in one burst hold each other up for longer than a packet may be late.
 * No timer is set for a beat that nobody waits for.
 */
export class MediaClock {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  /** By period in beats; each holds one set of streams for every beat of the period. */
  readonly #streams = new Map<number, Set<BeatTask>[]>();
  #count = 0;
  #startedAt: Millis | undefined;
  #nextBeat = 0;
  #armedFor: number | undefined;
  #beating = false;
  #skipped = 0;
  #cancel: Cancel | undefined;

  constructor(options: MediaClockOptions) {
    this.#scheduler = options.scheduler;
    this.#logger = options.logger;
  }

  /** How many streams are on the beat. */
  get size(): number {
    return this.#count;
  }

  /** Beats left out because the process woke up too late for them. */
  get skippedBeats(): number {
    return this.#skipped;
  }

  /**
   * Calls `task` every `periodMs` until the returned function is called. A task that throws is logged and stops no other.
   * @throws UsageError (PBX_INVALID_ARGUMENT) unless `periodMs` is a multiple of 10, at most 200
   */
  every(periodMs: number, task: BeatTask): Cancel {
    const period = periodMs / BEAT_MS;
    if (periodMs % SHORTEST_PERIOD_MS !== 0 || periodMs < SHORTEST_PERIOD_MS || periodMs > LONGEST_PERIOD_MS) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `periodMs: found ${periodMs}, expected 10, 20, 30 … 200`);
    }
    // Beats that are overdue are those of the streams that were there then: a newcomer would send them in one burst.
    const from = this.#beatAfter(this.#scheduler.now());
    const own: BeatTask = (beat) => {
      if (beat >= from) task(beat);
    };
    const tasks = this.#leastBusy(period);
    tasks.add(own);
    this.#count++;
    this.#arm();
    return () => {
      if (!tasks.delete(own)) return;
      this.#count--;
      if (this.#count === 0) this.#disarm();
    };
  }

  #leastBusy(period: number): Set<BeatTask> {
    let phases = this.#streams.get(period);
    if (phases === undefined) {
      phases = Array.from({ length: period }, () => new Set<BeatTask>());
      this.#streams.set(period, phases);
    }
    return phases.reduce((best, each) => (each.size < best.size ? each : best));
  }

  /** A beat that falls to this very moment is left to those that were there before. */
  #beatAfter(now: Millis): number {
    return Math.floor((now - (this.#startedAt ?? now)) / BEAT_MS) + 1;
  }

  /** Also when somebody new wants an earlier beat than the one that is waited for. */
  #arm(): void {
    // Whoever comes in the midst of the beats is seen to behind the last of them.
    if (this.#beating) return;
    const now = this.#scheduler.now();
    const next = this.#beatAfter(now);
    this.#startedAt ??= now;
    this.#nextBeat = Math.min(this.#armedFor ?? Number.POSITIVE_INFINITY, Math.max(this.#nextBeat, next));
    this.#schedule(this.#startedAt);
  }

  #schedule(startedAt: Millis): void {
    const beat = this.#nextOccupied();
    if (beat === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = beat;
    this.#cancel = this.#scheduler.at(startedAt + beat * BEAT_MS, () => this.#wake(startedAt));
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = undefined;
  }

  #wake(startedAt: Millis): void {
    // Nobody waited for the beats before it.
    this.#nextBeat = this.#armedFor ?? this.#nextBeat;
    this.#disarm();
    const due = Math.floor((this.#scheduler.now() - startedAt) / BEAT_MS);
    const late = due - this.#nextBeat - MAX_CATCH_UP_BEATS;
    if (late > 0) {
      this.#skipped += late;
      this.#nextBeat += late;
    }
    this.#beating = true;
    try {
      while (this.#nextBeat <= due && this.#count > 0) this.#beat(this.#nextBeat++);
    } finally {
      // Also when the host's logger throws: all audio of the process hangs on the next beat.
      this.#beating = false;
      if (this.#count > 0) this.#schedule(startedAt);
    }
  }

  /** The first beat from `#nextBeat` on that somebody waits for. */
  #nextOccupied(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [period, phases] of this.#streams) {
      for (let beat = this.#nextBeat; beat < this.#nextBeat + period && beat < next; beat++) {
        if ((phases[beat % period]?.size ?? 0) > 0) next = beat;
      }
    }
    return next;
  }

  #beat(beat: number): void {
    for (const [period, phases] of this.#streams) {
      const tasks = phases[beat % period];
      if (tasks !== undefined) for (const task of tasks) this.#run(task, beat);
    }
  }

  #run(task: BeatTask, beat: number): void {
    try {
      task(beat);
    } catch (error) {
      this.#logger.error({ area: 'media', err: error }, `a media stream failed: ${errorText(error)}`);
    }
  }
}
