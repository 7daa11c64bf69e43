/** A point in monotonic time, in milliseconds. Only differences mean anything. */
export type Millis = number;

/** A point in wall-clock time: milliseconds since 1970-01-01T00:00Z. For records and stored expiry only, never for timers. */
export type EpochMillis = number;

/** Where time comes from. Timers use `now()`; what is stored or shown uses `wallTime()`. */
export interface Clock {
  /** Monotonic: never jumps, whatever happens to the system's clock. */
  now(): Millis;
  wallTime(): EpochMillis;
}

/** The machine's own clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  wallTime: () => Date.now(),
});

/** When this process began, by the wall clock as it stands now. */
export function processStartedAt(): EpochMillis {
  return Date.now() - process.uptime() * 1000;
}
