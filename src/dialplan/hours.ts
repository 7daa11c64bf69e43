import type { EpochMillis } from '../base/clock.js';
import {
  type CalendarDay,
  type DateSet,
  dateSetOf,
  type MinuteSpan,
  spanOf,
  type TimeCondition,
  type Weekday,
  weekdayOf,
} from './time-condition.js';
import type { ZoneClock } from './zone-clock.js';

/** A time condition, ready to be asked. */
export class Hours {
  readonly id: string;
  readonly condition: TimeCondition;
  readonly timeZone: string;
  readonly #clock: ZoneClock;
  readonly #span: MinuteSpan;
  readonly #weekdays: ReadonlySet<Weekday> | undefined;
  readonly #dates: readonly DateSet[] | undefined;

  /** Takes a condition whose texts have been checked. */
  constructor(id: string, condition: TimeCondition, timeZone: string, clock: ZoneClock) {
    this.id = id;
    this.condition = condition;
    this.timeZone = timeZone;
    this.#clock = clock;
    this.#span = spanOf(condition);
    this.#weekdays = condition.weekdays === undefined ? undefined : new Set(condition.weekdays);
    this.#dates = condition.dates?.flatMap((text) => dateSetOf(text) ?? []);
  }

  /** Whether the condition holds at that instant. */
  isOpen(at: EpochMillis): boolean {
    const { day, minute } = this.#clock.read(at);
    const { start, finish } = this.#span;
    if (start < finish) return minute >= start && minute < finish && this.#isOn(day);
    return (minute >= start && this.#isOn(day)) || (minute < finish && this.#isOn(day - 1));
  }

  #isOn(day: CalendarDay): boolean {
    if (this.#weekdays?.has(weekdayOf(day)) === false) return false;
    return this.#dates === undefined || this.#dates.some((holds) => holds(day));
  }
}
