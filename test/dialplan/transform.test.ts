import fc from 'fast-check';
import {
  appendDigits,
  applyTransform,
  deleteDigits,
  describeTransform,
  insertDigits,
  keepDigits,
  replaceDigits,
  sequence,
  type Transform,
} from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';
import { describeChange } from '../../src/dialplan/transform.js';
import { numbers, transforms } from './arbitraries.js';
import { naively } from './naive.js';

interface Case {
  readonly name: string;
  readonly transform: Transform;
  readonly from: string;
  readonly to: string;
  readonly rule: string;
  readonly change: string;
}

const cases: readonly Case[] = [
  {
    name: 'delete 0/1 makes 9xxxx to xxxx (product facts, part 1)',
    transform: deleteDigits({ start: 0, length: 1 }),
    from: '95551234',
    to: '5551234',
    rule: 'delete 1 digit at 0',
    change: 'deleted `9`',
  },
  {
    name: 'replace 0/1 by 0086 makes 0xxxx to 0086xxxx (product facts, part 1)',
    transform: replaceDigits({ start: 0, length: 1, digits: '0086' }),
    from: '01012345',
    to: '00861012345',
    rule: 'replace 1 digit at 0 by 0086',
    change: 'replaced `0` by `0086`',
  },
  {
    name: 'positions count from 0',
    transform: deleteDigits({ start: 2, length: 3 }),
    from: '123456789',
    to: '126789',
    rule: 'delete 3 digits at 2',
    change: 'deleted `345`',
  },
  {
    name: 'the start is 0 unless told',
    transform: insertDigits({ digits: '00' }),
    from: '123',
    to: '00123',
    rule: 'insert 00 at 0',
    change: 'inserted `00`',
  },
  {
    name: 'insert in the middle',
    transform: insertDigits({ start: 1, digits: '5' }),
    from: '123',
    to: '1523',
    rule: 'insert 5 at 1',
    change: 'inserted `5`',
  },
  {
    name: 'out-of-range positions clamp: a length beyond the end',
    transform: deleteDigits({ start: 1, length: 60 }),
    from: '123',
    to: '1',
    rule: 'delete 60 digits at 1',
    change: 'deleted `23`',
  },
  {
    name: 'out-of-range positions clamp: a deletion behind the end',
    transform: deleteDigits({ start: 7, length: 2 }),
    from: '123',
    to: '123',
    rule: 'delete 2 digits at 7',
    change: 'deleted nothing',
  },
  {
    name: 'out-of-range positions clamp: an insertion behind the end',
    transform: insertDigits({ start: 7, digits: '9' }),
    from: '123',
    to: '1239',
    rule: 'insert 9 at 7',
    change: 'inserted `9`',
  },
  {
    name: 'out-of-range positions clamp: a replacement behind the end',
    transform: replaceDigits({ start: 7, length: 2, digits: '9' }),
    from: '123',
    to: '1239',
    rule: 'replace 2 digits at 7 by 9',
    change: 'replaced nothing by `9`',
  },
  {
    name: 'append',
    transform: appendDigits('#'),
    from: '123',
    to: '123#',
    rule: 'append #',
    change: 'appended `#`',
  },
  {
    name: 'keep the first',
    transform: keepDigits({ first: 2 }),
    from: '12345',
    to: '12',
    rule: 'keep the first 2',
    change: 'kept `12`',
  },
  {
    name: 'keep the last',
    transform: keepDigits({ last: 3 }),
    from: '12345',
    to: '345',
    rule: 'keep the last 3',
    change: 'kept `345`',
  },
  {
    name: 'a shorter number is kept whole',
    transform: keepDigits({ last: 9 }),
    from: '12345',
    to: '12345',
    rule: 'keep the last 9',
    change: 'kept `12345`',
  },
  {
    name: 'the last none',
    transform: keepDigits({ last: 0 }),
    from: '12345',
    to: '',
    rule: 'keep the last 0',
    change: 'kept nothing',
  },
  {
    name: 'a sequence: each step on what the one before left',
    transform: sequence(
      deleteDigits({ length: 1 }),
      replaceDigits({ length: 1, digits: '+49' }),
      keepDigits({ first: 6 }),
    ),
    from: '90301234',
    to: '+49301',
    rule: 'delete 1 digit at 0, replace 1 digit at 0 by +49, keep the first 6',
    change: 'deleted `9`, replaced `0` by `+49`, kept `+49301`',
  },
];

describe('transformations', () => {
  test.each(cases)('$name', ({ transform, from, to, rule, change }) => {
    expect(applyTransform(transform, from)).toBe(to);
    expect(describeTransform(transform)).toBe(rule);
    expect(describeChange(transform, from)).toBe(change);
  });

  test('they are plain data: JSON keeps them', () => {
    for (const { transform, from, to } of cases) {
      expect(applyTransform(JSON.parse(JSON.stringify(transform)) as Transform, from)).toBe(to);
    }
  });

  test('character by character they do the same as arrays do', () => {
    fc.assert(
      fc.property(transforms(), numbers(), (transform, number) => {
        expect(applyTransform(transform, number)).toBe(naively(transform, [...number]).join(''));
      }),
    );
  });

  test('a negative or fractional position, which a dial plan refuses, is clamped and does not throw', () => {
    expect(applyTransform(deleteDigits({ start: -3, length: 1.5 }), '123')).toBe('23');
    expect(applyTransform(deleteDigits({ start: 0, length: -1 }), '123')).toBe('123');
    expect(applyTransform(keepDigits({ last: Number.NaN }), '123')).toBe('');
  });
});
