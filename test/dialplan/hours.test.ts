import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Hours } from '../../src/dialplan/hours.js';
import { dateSetOf, minuteOf, type TimeCondition, weekdayOf } from '../../src/dialplan/time-condition.js';
import { ZoneClock } from '../../src/dialplan/zone-clock.js';

/** Which of these instants are open. */
function open(condition: TimeCondition, ...instants: string[]): string[] {
  const zone = condition.timeZone ?? 'UTC';
  const hours = new Hours('x', condition, zone, new ZoneClock(zone));
  return instants.filter((each) => hours.isOpen(Date.parse(each)));
}

describe('time conditions', () => {
  test('from the start to before the finish', () => {
    const office: TimeCondition = { start: '08:30', finish: '17:00' };
    expect(
      open(office, '2026-03-02T08:29:59Z', '2026-03-02T08:30:00Z', '2026-03-02T16:59:59Z', '2026-03-02T17:00:00Z'),
    ).toEqual(['2026-03-02T08:30:00Z', '2026-03-02T16:59:59Z']);
  });

  test('without times the whole day, to its last second', () => {
    expect(open({ weekdays: ['mon'] }, '2026-03-01T23:59:59Z', '2026-03-02T00:00:00Z', '2026-03-02T23:59:59Z')).toEqual(
      ['2026-03-02T00:00:00Z', '2026-03-02T23:59:59Z'],
    );
  });

  test('across midnight the day that counts is the one on which it started', () => {
    const night: TimeCondition = { start: '22:00', finish: '06:00', weekdays: ['fri'] };
    expect(
      open(
        night,
        '2026-03-05T23:00:00Z',
        '2026-03-06T05:00:00Z',
        '2026-03-06T22:00:00Z',
        '2026-03-07T05:59:00Z',
        '2026-03-07T06:00:00Z',
        '2026-03-07T22:30:00Z',
      ),
    ).toEqual(['2026-03-06T22:00:00Z', '2026-03-07T05:59:00Z']);
  });

  test('a finish at 00:00 is midnight at the end of the day', () => {
    expect(open({ start: '18:00', finish: '00:00' }, '2026-03-02T23:59:00Z', '2026-03-03T00:00:00Z')).toEqual([
      '2026-03-02T23:59:00Z',
    ]);
  });

  test('across midnight at the turn of the year, by its date', () => {
    const eve: TimeCondition = { start: '20:00', finish: '04:00', dates: ['12-31'] };
    expect(
      open(eve, '2026-12-31T03:00:00Z', '2026-12-31T21:00:00Z', '2027-01-01T03:59:00Z', '2027-01-01T21:00:00Z'),
    ).toEqual(['2026-12-31T21:00:00Z', '2027-01-01T03:59:00Z']);
  });

  test('dates: one day, a day of each year, a span of days; with weekdays both must hold', () => {
    const noon = (day: string) => `${day}T12:00:00Z`;
    const days = ['2026-12-24', '2027-12-24', '2026-12-31', '2027-01-01', '2027-01-02', '2028-02-29'].map(noon);
    expect(open({ dates: ['2026-12-24'] }, ...days)).toEqual([days[0]]);
    expect(open({ dates: ['12-24'] }, ...days)).toEqual([days[0], days[1]]);
    expect(open({ dates: ['2026-12-31/2027-01-01'] }, ...days)).toEqual([days[2], days[3]]);
    expect(open({ dates: ['02-29'] }, ...days)).toEqual([days[5]]);
    expect(open({ dates: ['2026-12-31/2027-01-02'], weekdays: ['sat'] }, ...days)).toEqual([days[4]]);
  });

  test('the wall clock of its time zone counts, not the hours passed: office hours before and after the change', () => {
    const berlin: TimeCondition = { start: '08:00', finish: '17:00', timeZone: 'Europe/Berlin' };
    expect(open(berlin, '2026-03-28T07:00:00Z', '2026-03-29T06:00:00Z', '2026-03-29T05:59:00Z')).toEqual([
      '2026-03-28T07:00:00Z',
      '2026-03-29T06:00:00Z',
    ]);
  });

  test('the hour that is left out in spring, and the one that comes twice in autumn', () => {
    const early: TimeCondition = { start: '02:00', finish: '03:00', timeZone: 'Europe/Berlin' };
    expect(open(early, '2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z')).toEqual([]);
    expect(
      open(early, '2026-10-24T23:59:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:00:00Z'),
    ).toEqual(['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']);
  });

  test('a night of 23 or 25 hours before it is still the night before', () => {
    const night: TimeCondition = { start: '22:00', finish: '04:00', weekdays: ['sat'], timeZone: 'Europe/Berlin' };
    expect(open(night, '2026-03-29T01:59:00Z', '2026-03-29T02:00:00Z')).toEqual(['2026-03-29T01:59:00Z']);
    expect(open(night, '2026-10-25T02:59:00Z', '2026-10-25T03:00:00Z')).toEqual(['2026-10-25T02:59:00Z']);
  });

  test('offsets of half hours, and a zone a day ahead', () => {
    expect(
      open(
        { start: '09:00', finish: '10:00', timeZone: 'Asia/Kolkata' },
        '2026-06-01T03:29:00Z',
        '2026-06-01T03:30:00Z',
      ),
    ).toEqual(['2026-06-01T03:30:00Z']);
    expect(
      open({ weekdays: ['tue'], timeZone: 'Pacific/Kiritimati' }, '2026-06-01T09:59:00Z', '2026-06-01T10:00:00Z'),
    ).toEqual(['2026-06-01T10:00:00Z']);
  });

  test('in UTC they agree with the calendar of Date at any instant, also before 1970', () => {
    const two = (value: number) => String(value).padStart(2, '0');
    fc.assert(
      fc.property(
        fc.integer({ min: -2_000_000_000_000, max: 4_000_000_000_000 }),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 1440 }),
        fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, { minLength: 1 }),
        (at, start, finish, weekdays) => {
          fc.pre(start !== finish);
          const text = (minute: number) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
          const hours = new Hours(
            'x',
            { start: text(start), finish: text(finish), weekdays },
            'UTC',
            new ZoneClock('UTC'),
          );
          const date = new Date(at);
          const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
          const on = (weekday: number) =>
            weekdays.includes((['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const)[weekday % 7] ?? 'sun');
          const today = on(date.getUTCDay());
          const yesterday = on(date.getUTCDay() + 6);
          const expected =
            start < finish
              ? minute >= start && minute < finish && today
              : (minute >= start && today) || (minute < finish && yesterday);
          expect(hours.isOpen(at)).toBe(expected);
        },
      ),
    );
  });
});

describe('ZoneClock', () => {
  const { DateTimeFormat } = Intl;
  afterEach(() => {
    Intl.DateTimeFormat = DateTimeFormat;
  });

  test('makes its formatter once, and agrees with a new one at any instant, in any order', () => {
    const zone = 'Australia/Lord_Howe';
    const fresh = (at: number) => new ZoneClock(zone).read(at);
    const instants = Array.from(
      { length: 300 },
      (_, i) => Date.parse('2026-04-04T12:00:00Z') + ((i * 7919) % 300) * 997_000,
    );
    const expected = instants.map(fresh);
    const clock = new ZoneClock(zone);
    Intl.DateTimeFormat = function made(): never {
      throw new Error('another formatter was made');
    } as unknown as typeof DateTimeFormat;
    expect(instants.map((at) => clock.read(at))).toEqual(expected);
  });
});

describe('texts of time conditions', () => {
  test('minutes of a day', () => {
    expect(['00:00', '08:30', '23:59', '24:00'].map(minuteOf)).toEqual([0, 510, 1439, 1440]);
    expect(['24:01', '25:00', '8:30', '08:60', '0830', '', '-1:00', '08:30 '].map(minuteOf)).toEqual(
      Array(8).fill(undefined),
    );
  });

  test('days that no calendar has are none', () => {
    for (const bad of [
      '2026-02-30',
      '2026-13-01',
      '02-30',
      '13-01',
      '2026-1-1',
      '2027-01-02/2027-01-01',
      '01-01/01-05',
      'x',
      '',
      'a/b/c',
    ])
      expect(dateSetOf(bad), bad).toBeUndefined();
    expect(dateSetOf('2028-02-29')).toBeDefined();
  });

  test('1970-01-01 was a Thursday, the day before a Wednesday', () => {
    expect([0, -1, 4, 7].map(weekdayOf)).toEqual(['thu', 'wed', 'mon', 'thu']);
  });
});
