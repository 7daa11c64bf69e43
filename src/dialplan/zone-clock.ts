import type { EpochMillis } from '../base/clock.js';
import type { CalendarDay } from './time-condition.js';

/** What calendar and clock of a place show. */
export interface LocalTime {
  readonly day: CalendarDay;
  /** Since midnight by that clock, 0–1439; when the clock is put back, some minutes come twice. */
  readonly minute: number;
}

const MINUTE_MS = 60_000;

/** The clock on the wall of a time zone. The formatter is made once, and what it said is kept for the minute. */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #minute = Number.NaN;
  #shown: LocalTime = { day: 0, minute: 0 };

  /** @throws RangeError for a time zone that does not exist */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** What the clock shows at that instant. */
  read(at: EpochMillis): LocalTime {
    const minute = Math.floor(at / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#shown = this.#show(minute * MINUTE_MS);
      this.#minute = minute;
    }
    return this.#shown;
  }

  #show(at: EpochMillis): LocalTime {
    let [year, month, day, hour, minute] = [0, 0, 0, 0, 0];
    for (const { type, value } of this.#format.formatToParts(at)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
      else if (type === 'hour') hour = Number(value);
      else if (type === 'minute') minute = Number(value);
    }
    return { day: Date.UTC(year, month - 1, day) / 86_400_000, minute: hour * 60 + minute };
  }
}

/** Whether there is such a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
