/** A day of the week. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** In the order of the days since 1970-01-01, which was a Thursday. */
export const WEEKDAYS: readonly Weekday[] = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'];

/** When something holds, by the clock on the wall of a place. */
export interface TimeCondition {
  /** `HH:MM`. Default `00:00`. */
  readonly start?: string;
  /**
   * `HH:MM`, the first minute that is out of it; `24:00` is the end of the day. Before `start`: across midnight, and the day that
   * counts is the one on which it started. Default `24:00`.
   */
  readonly finish?: string;
  /** Default: every day. */
  readonly weekdays?: readonly Weekday[];
  /** Only on these days: `2026-12-24`, `12-25` of each year, or `2026-12-24/2027-01-01`. With `weekdays`, both must hold. */
  readonly dates?: readonly string[];
  /** An IANA name such as `Europe/Berlin`. Default: the dial plan's. */
  readonly timeZone?: string;
}

/** Whole days by a calendar, since 1970-01-01. */
export type CalendarDay = number;

/** The minutes of a day from `start` to before `finish`; `finish` ≤ `start` is across midnight. */
export interface MinuteSpan {
  readonly start: number;
  readonly finish: number;
}

/** A text `HH:MM` as minutes since midnight; undefined for anything else. `24:00` is a time. */
export function minuteOf(text: string): number | undefined {
  const [, hours, minutes] = /^(\d\d):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const minute = Number(hours) * 60 + Number(minutes);
  return minute <= 24 * 60 ? minute : undefined;
}

/** The span of a condition whose times are good. */
export function spanOf({ start = '00:00', finish = '24:00' }: TimeCondition): MinuteSpan {
  return { start: minuteOf(start) ?? 0, finish: minuteOf(finish) ?? 24 * 60 };
}

/** A set of days, made of the texts in `dates`. */
export type DateSet = (day: CalendarDay) => boolean;

/** The days that one text of `dates` names; undefined when it names none, such as `2026-02-30`. */
export function dateSetOf(text: string): DateSet | undefined {
  const [from = '', to, ...more] = text.split('/');
  if (more.length > 0) return undefined;
  if (to !== undefined) {
    const first = dayOf(from);
    const last = dayOf(to);
    return first === undefined || last === undefined || last < first ? undefined : (day) => day >= first && day <= last;
  }
  const only = dayOf(from);
  if (only !== undefined) return (day) => day === only;
  // A leap year, so that 29 February is a day.
  const yearly = /^\d\d-\d\d$/.test(from) ? dayOf(`2000-${from}`) : undefined;
  if (yearly === undefined) return undefined;
  const wanted = monthAndDay(yearly);
  return (day) => monthAndDay(day) === wanted;
}

const DAY_MS = 86_400_000;

/** Undefined for days that no calendar has. */
function dayOf(text: string): CalendarDay | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Some engines take the 30th of February for the 1st of March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms / DAY_MS;
}

function monthAndDay(day: CalendarDay): number {
  const date = new Date(day * DAY_MS);
  return date.getUTCMonth() * 100 + date.getUTCDate();
}

/** The day of the week. */
export function weekdayOf(day: CalendarDay): Weekday {
  return WEEKDAYS[((day % 7) + 7) % 7] as Weekday;
}
