import type { Hours } from './hours.js';
import { type Linked, samePrefix } from './prefix-table.js';
import type { TimedRecord } from './tables.js';
import { type CalendarDay, dateSetOf, spanOf, type TimeCondition, WEEKDAYS, weekdayOf } from './time-condition.js';

const DAY = 24 * 60;
const WEEK = 7 * DAY;

/** The rules of one prefix that never get a number, because others of the same prefix always go before them. */
export function shadowed<R extends TimedRecord>(first: Linked<R>): R[] {
  const records = samePrefix(first);
  return records.filter((record, i) => {
    const earlier = records.slice(0, i).flatMap(({ hours }) => hours ?? []);
    return record.hours === undefined ? coverWeek(earlier) : isCovered(record.hours, earlier);
  });
}

/** Whether there is a moment at which the condition holds: its dates may all be other days of the week. */
export function canHold({ weekdays, dates }: TimeCondition): boolean {
  if (weekdays === undefined || dates === undefined) return true;
  return dates.some((text) => {
    const days = daysOf(text);
    return days === undefined || days.some((day) => weekdays.includes(weekdayOf(day)));
  });
}

/** Whether at any time one of them holds. */
function coverWeek(hours: readonly Hours[]): boolean {
  const byZone = new Map<string, Hours[]>();
  for (const each of hours) byZone.set(each.timeZone, [...(byZone.get(each.timeZone) ?? []), each]);
  return [...byZone.values()].some((list) => {
    const minutes = minutesOf(list.filter(({ condition }) => condition.dates === undefined));
    return minutes.every((covered) => covered === 1);
  });
}

/** Whether whenever it holds one of the others does: those of the same time zone that have no dates, or the same ones. */
function isCovered(hours: Hours, others: readonly Hours[]): boolean {
  const dates = JSON.stringify(hours.condition.dates);
  const minutes = minutesOf(
    others.filter(
      ({ condition, timeZone }) =>
        timeZone === hours.timeZone && (condition.dates === undefined || JSON.stringify(condition.dates) === dates),
    ),
  );
  return minutesOf([hours]).every((own, i) => own === 0 || minutes[i] === 1);
}

/** The minutes of a week at which one of them holds, as far as their dates allow. */
function minutesOf(hours: readonly Hours[]): Uint8Array {
  const minutes = new Uint8Array(WEEK);
  for (const { condition } of hours) {
    const { start, finish } = spanOf(condition);
    const length = start < finish ? finish - start : DAY - start + finish;
    WEEKDAYS.forEach((weekday, i) => {
      if (condition.weekdays?.includes(weekday) === false) return;
      for (let minute = 0; minute < length; minute++) minutes[(i * DAY + start + minute) % WEEK] = 1;
    });
  }
  return minutes;
}

/** The days of a text in `dates`, a week of them at most; undefined: a day of each year, which falls on every weekday in time. */
function daysOf(text: string): CalendarDay[] | undefined {
  if (!/^\d{4}-/.test(text)) return undefined;
  const holds = dateSetOf(text);
  const first = Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / 86_400_000;
  return [0, 1, 2, 3, 4, 5, 6].map((i) => first + i).filter((day) => holds?.(day) === true);
}
