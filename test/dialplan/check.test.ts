import fc from 'fast-check';
import {
  appendDigits,
  type CalledRule,
  DialPlan,
  type DialPlanRules,
  deleteDigits,
  extension,
  FEATURE_CODES,
  group,
  insertDigits,
  type KnownNames,
  keepDigits,
  line,
  peer,
  reject,
  replaceDigits,
  sequence,
  service,
  trunk,
} from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';
import { transformSet } from '../../src/dialplan/number-set.js';
import { numbers, transforms } from './arbitraries.js';
import { naively } from './naive.js';

/** `rule: problem`, each. */
function problems(rules: DialPlanRules, known: KnownNames = {}): string[] {
  return new DialPlan(rules).check(known).map(({ rule, problem }) => `${rule}: ${problem}`);
}

const on = (prefix: string, transform: CalledRule['transform'], more: Partial<CalledRule> = {}): CalledRule => ({
  prefix,
  reanalyse: true,
  ...(transform === undefined ? {} : { transform }),
  ...more,
});
const swap = (length: number, digits: string) => replaceDigits({ length, digits });

describe('check: what does not exist', () => {
  const rules: DialPlanRules = {
    codes: [{ code: '*40*number', service: 'pickup' }],
    called: [
      { prefix: '1', route: extension('100') },
      { prefix: '2', route: line('1234') },
      { prefix: '3', route: group('carriers') },
      { prefix: '4', route: trunk('berlin') },
      { prefix: '5', route: peer('branch') },
      { prefix: '6', route: service('ivr', 'menu'), level: 'city' },
      { prefix: '7', route: reject(404) },
      { prefix: '8', route: extension() },
      { prefix: '0', route: line() },
    ],
    refineCaller: [{ group: 'out', prefix: '*', transform: appendDigits('1') }],
    refineCalled: [{ group: 'carriers', prefix: '*', transform: appendDigits('1') }],
  };

  test('each kind of name, only against the lists that are given', () => {
    expect(problems(rules)).toEqual([]);
    expect(problems(rules, { extensions: ['101'] })).toEqual(['called[0]: there is no extension 100']);
    expect(problems(rules, { lines: [] })).toEqual(['called[1]: there is no line 1234']);
    expect(problems(rules, { groups: ['out'] })).toEqual([
      'called[2]: there is no group carriers',
      'refineCalled[0]: there is no group carriers',
    ]);
    expect(problems(rules, { groups: ['carriers'] })).toEqual(['refineCaller[0]: there is no group out']);
    expect(problems(rules, { trunks: [] })).toEqual(['called[3]: there is no trunk berlin']);
    expect(problems(rules, { peers: [] })).toEqual(['called[4]: there is no peer branch']);
    expect(problems(rules, { services: ['ivr'] })).toEqual(['codes[0]: there is no service pickup']);
    expect(problems(rules, { services: ['pickup'] })).toEqual(['called[5]: there is no service ivr']);
    expect(problems(rules, { levels: ['world'] })).toEqual(['called[5]: nobody owns the call level city']);
  });

  test('plans that no call comes to', () => {
    const plans: DialPlanRules = {
      caller: [
        { prefix: '1', use: 'sales' },
        { plan: 'sales', prefix: '2', use: 'lost' },
        { plan: 'inbound', prefix: '*', use: 'night' },
      ],
      called: ['sales', 'inbound', 'night', 'lost'].map((plan) => ({ plan, prefix: '1', route: line() })),
    };
    expect(problems(plans)).toEqual([]);
    expect(problems(plans, { plans: ['inbound'] })).toEqual([
      'caller[1]: no call comes to plan sales',
      'called[3]: no call comes to plan lost',
    ]);
    expect(problems(plans, { plans: [] })).toEqual([
      'caller[1]: no call comes to plan sales',
      'caller[2]: no call comes to plan inbound',
      'called[1]: no call comes to plan inbound',
      'called[2]: no call comes to plan night',
      'called[3]: no call comes to plan lost',
    ]);
  });
});

describe('check: what can never match', () => {
  const never = (prefix: string) => `never gets a number: other rules for prefix ${prefix} hold whenever it does`;
  const times = {
    all: {},
    day: { start: '08:00', finish: '20:00' },
    noon: { start: '11:00', finish: '14:00', weekdays: ['mon', 'fri'] },
    night: { start: '20:00', finish: '08:00' },
    week: { weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'] },
    weekend: { weekdays: ['sat', 'sun'] },
    xmas: { dates: ['12-24', '12-25'] },
    xmasNoon: { dates: ['12-24', '12-25'], start: '11:00', finish: '14:00' },
    berlinNoon: { start: '11:00', finish: '14:00', timeZone: 'Europe/Berlin' },
  } as const;
  /** The rules for one prefix with these times, `-` without. */
  const behind = (...order: (keyof typeof times | '-')[]) =>
    problems({
      timeZone: 'UTC',
      times,
      called: order.map((time) => ({ prefix: '1', route: line(), ...(time === '-' ? {} : { time }) })),
    });

  test.each([
    [['all', '-'], 1],
    [['day', 'night', '-'], 2],
    [['week', 'weekend', '-'], 2],
    [['week', 'weekend', 'xmas'], 2],
    [['day', 'noon'], 1],
    [['day', 'xmasNoon'], 1],
    [['xmas', 'xmasNoon'], 1],
  ] as const)('rules of one prefix with times %j: number %i', (order, at) => {
    expect(behind(...order)).toEqual([`called[${at}]: ${never('1')}`]);
  });

  test.each([
    [['noon', 'day', '-']],
    [['day', 'weekend', '-']],
    [['xmas', 'day', '-']],
    [['xmasNoon', 'xmas']],
    [['xmas', 'noon']],
    [['noon', 'berlinNoon']],
    [['day', 'berlinNoon']],
  ] as const)('times %j: each has its own', (order) => {
    expect(behind(...order)).toEqual([]);
  });

  test('a rule without a time stands behind the one with a time, wherever it is written', () => {
    expect(behind('-', 'all')).toEqual([`called[0]: ${never('1')}`]);
  });

  test('rules for callers likewise', () => {
    expect(problems({ timeZone: 'UTC', times, caller: [{ prefix: '1', time: 'all' }, { prefix: '1' }] })).toEqual([
      `caller[1]: ${never('1')}`,
    ]);
  });

  test('a time condition whose dates are other days of the week', () => {
    // 2026-12-24 is a Thursday.
    const dated = (...dates: string[]): DialPlanRules => ({
      times: { x: { dates, weekdays: ['sat', 'sun'], timeZone: 'UTC' } },
    });
    const told = ['times.x: never holds: its dates are other days of the week'];
    expect(problems(dated('2026-12-24'))).toEqual(told);
    expect(problems(dated('2026-12-21/2026-12-25', '2026-12-28'))).toEqual(told);
    expect(problems(dated('2026-12-24/2026-12-26'))).toEqual([]);
    expect(problems(dated('2026-12-24', '12-24'))).toEqual([]);
  });

  test('rules behind feature codes', () => {
    const called = (prefix: string): DialPlanRules => ({ codes: FEATURE_CODES, called: [{ prefix, route: line() }] });
    expect(problems(called('*90*1'))).toEqual(['called[0]: the feature code *90*number goes before it']);
    expect(problems(called('*90*'))).toEqual(['called[0]: the feature code *90*number goes before it']);
    expect(problems(called('*74'))).toEqual(['called[0]: the feature code *74 goes before it']);
    for (const prefix of ['*', '*9', '*90', '*741', '90']) expect(problems(called(prefix)), prefix).toEqual([]);
  });
});

describe('check: loops of re-analysis', () => {
  const loop = (...prefixes: string[]) =>
    `analysing again may never end: ${prefixes.map((prefix) => `prefix ${prefix}`).join(' → ')}`;

  test.each([
    ['two rules', [on('1', swap(1, '2')), on('2', swap(1, '1'))], ['1', '2', '1']],
    ['a rule that feeds itself', [on('1', swap(2, '12'))], ['1', '1']],
    ['a number that grows', [on('1', appendDigits('5'))], ['1', '1']],
    ['any number, until nothing is left', [on('*', deleteDigits({ length: 1 }))], ['*', '*']],
    ['the last digits, which may begin likewise', [on('00', keepDigits({ last: 3 }))], ['00', '00']],
    ['a number that may be that short', [on('1', swap(2, '2')), on('2', swap(1, '1'))], ['1', '2', '1']],
    ['a loop by a longer prefix', [on('12', swap(1, '3')), on('3', swap(1, '1'))], ['12', '3', '12']],
    [
      'one digit off, one on',
      [on('1', deleteDigits({ length: 1 })), on('2', insertDigits({ digits: '1' }))],
      ['1', '2', '1'],
    ],
  ] as const)('%s', (_name, called, prefixes) => {
    expect(problems({ called })).toEqual([`called[0]: ${loop(...prefixes)}`]);
  });

  test.each([
    ['digits that run out', [on('8', deleteDigits({ length: 1 }))]],
    ['another rule takes over', [on('0', swap(1, '0049')), { prefix: '00', route: line() }]],
    ['a longer prefix that is passed by', [on('12', swap(2, '35')), on('3', swap(1, '1'))]],
    [
      'any number gets a prefix that has its rule',
      [on('*', insertDigits({ digits: '9' })), { prefix: '9', route: line() }],
    ],
    ['shorter each time, over two rules', [on('12', swap(2, '3')), on('3', swap(1, '1'))]],
    ['fewer last digits than the prefix has', [on('123', keepDigits({ last: 2 }))]],
    ['an exact number', [on('7', sequence(keepDigits({ first: 1 }), swap(1, '55'))), on('56', swap(2, '7'))]],
    ['in different plans', [on('1', swap(1, '2')), on('2', swap(1, '1'), { plan: 'other' })]],
  ] as const)('none: %s', (_name, called) => {
    expect(problems({ called })).toEqual([]);
  });

  test('every loop is told', () => {
    const pair = (a: string, b: string) => [on(a, swap(1, b)), on(b, swap(1, a))];
    expect(problems({ called: [...pair('1', '2'), ...pair('3', '4'), ...pair('5', '6')] })).toHaveLength(3);
  });

  test('a rule that does not always hold lets a shorter prefix have the number', () => {
    const times = { office: { start: '08:00', finish: '18:00', timeZone: 'UTC' } };
    const called = (time?: string) => [
      on('1', swap(1, '22')),
      { prefix: '22', route: line(), ...(time === undefined ? {} : { time }) },
      on('2', swap(2, '1')),
    ];
    expect(problems({ times, called: called() })).toEqual([]);
    expect(problems({ times, called: called('office') })).toHaveLength(1);
  });

  test('a planted loop among a thousand rules that lead on is found', () => {
    const called = Array.from({ length: 1000 }, (_, i) => on(`7${1000 + i}`, deleteDigits({ length: 5 })));
    expect(problems({ called })).toEqual([]);
    expect(problems({ called: [...called, on('5', swap(1, '6')), on('6', swap(1, '5'))] })).toHaveLength(1);
  });

  test('the numbers that a transformation makes of a set are in the set that the analysis goes on with', () => {
    fc.assert(
      fc.property(transforms(), numbers(), numbers(), fc.boolean(), (transform, known, rest, exact) => {
        const number = exact ? known : known + rest;
        const changed = naively(transform, [...number]).join('');
        const set = transformSet(transform, { known, exact });
        expect(set.exact ? changed === set.known : changed.startsWith(set.known)).toBe(true);
        expect(changed.length - number.length).toBeLessThanOrEqual(set.growth);
      }),
      { numRuns: 5_000 },
    );
  });
});
