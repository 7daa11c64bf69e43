import { DialPlan, DialPlanError, type DialPlanRules, deleteDigits, extension, line } from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';

/** What is wrong with these rules, as `path: found, expected`. */
function faults(rules: unknown): string[] {
  try {
    new DialPlan(rules as DialPlanRules);
    return [];
  } catch (error) {
    if (!(error instanceof DialPlanError)) throw error;
    expect(error).toMatchObject({ code: 'DIALPLAN_INVALID', kind: 'misuse' });
    return error.problems.map(({ path, found, expected }) => `${path}: ${found}, ${expected}`);
  }
}

const rule = { prefix: '9', route: line('1234') };
const drop = deleteDigits({ length: 1 });
const office = { start: '08:00', finish: '18:00', timeZone: 'Europe/Berlin' };

describe('bad rules are refused at construction, with path and reason', () => {
  test.each([
    [
      'an unknown transformation',
      { called: [{ ...rule, transform: 2 }], transforms: { 1: drop } },
      ['called[0].transform: 2, which is not in transforms, one of "1"'],
    ],
    [
      'of the caller',
      { caller: [{ prefix: '1', transform: 'x' }] },
      ['caller[0].transform: "x", which is not in transforms, an id that is defined'],
    ],
    [
      'of a refinement',
      {
        refineCaller: [{ group: 'a', prefix: '1', transform: 'x' }],
        refineCalled: [{ group: 'a', prefix: '1', transform: 'y' }],
      },
      [
        'refineCaller[0].transform: "x", which is not in transforms, an id that is defined',
        'refineCalled[0].transform: "y", which is not in transforms, an id that is defined',
      ],
    ],
    [
      'a name that only objects have',
      { called: [{ ...rule, transform: 'constructor' }] },
      ['called[0].transform: "constructor", which is not in transforms, an id that is defined'],
    ],
    [
      'an unknown time condition',
      { called: [{ ...rule, time: 'offcie' }], times: { office } },
      ['called[0].time: "offcie", which is not in times, one of "office"'],
    ],
    [
      'an unknown time condition of the caller',
      { caller: [{ prefix: '1', time: 'x' }] },
      ['caller[0].time: "x", which is not in times, an id that is defined'],
    ],
    [
      'an unknown plan',
      { caller: [{ prefix: '1', use: 'slaes' }], called: [{ ...rule, plan: 'sales' }] },
      ['caller[0].use: "slaes", a plan without a called rule, one of "default", "sales"'],
    ],
    [
      'an unknown call level',
      { levels: ['city'], called: [{ ...rule, level: 'world' }] },
      ['called[0].level: "world", which is not in levels, one of "city"'],
    ],
    [
      'a duplicate prefix',
      { called: [rule, { prefix: '8', route: line() }, { plan: 'default', prefix: '9', route: line() }] },
      ['called[2]: the plan, prefix and time of called[0], each once'],
    ],
    [
      'a duplicate prefix with one time',
      { times: { office }, called: [{ ...rule, time: 'office' }, rule, { ...rule, time: 'office' }] },
      ['called[2]: the plan, prefix and time of called[0], each once'],
    ],
    [
      'a duplicate caller prefix',
      { caller: [{ prefix: '1' }, { prefix: '1', use: 'default' }] },
      ['caller[1]: the plan, prefix and time of caller[0], each once'],
    ],
    [
      'a duplicate refinement',
      {
        refineCalled: [
          { group: 'a', prefix: '1', transform: drop },
          { group: 'b', prefix: '1', transform: drop },
          { group: 'a', prefix: '1', transform: drop },
        ],
      },
      ['refineCalled[2]: the group and prefix of refineCalled[0], each once'],
    ],
    [
      'a duplicate of the black list',
      { blackList: [{ caller: '1' }, { caller: '1', called: '*', rate: 5 }] },
      ['blackList[1]: the prefixes of blackList[0], each once'],
    ],
    [
      'a duplicate code, whatever its words',
      {
        codes: [
          { code: '*40*number', service: 'pickup' },
          { code: '*40*N', service: 'x' },
        ],
      },
      ['codes[1]: the code of codes[0], each once'],
    ],
    ['a duplicate level', { levels: ['a', 'a'] }, ['levels[1]: the name of levels[0], each once']],
    [
      'neither route nor re-analysis',
      { called: [{ prefix: '9' }] },
      ['called[0]: neither route nor reanalyse, one of them'],
    ],
    [
      'both route and re-analysis',
      { called: [{ ...rule, transform: drop, reanalyse: true }] },
      ['called[0]: both route and reanalyse, one of them'],
    ],
    [
      're-analysis of what is not changed',
      { called: [{ prefix: '9', reanalyse: true }] },
      ['called[0].transform: nothing, a transformation: what is not changed need not be analysed again'],
    ],
    [
      'an impossible time',
      { times: { x: { ...office, start: '24:00' } } },
      ['times.x.start: "24:00", a time from "00:00" to "23:59"'],
    ],
    [
      'another impossible time',
      { times: { x: { ...office, finish: '24:30' } } },
      ['times.x.finish: "24:30", a time from "00:00" to "24:00"'],
    ],
    [
      'a time that is no text',
      { times: { x: { ...office, start: 8 } } },
      ['times.x.start: 8, a time from "00:00" to "23:59"'],
    ],
    [
      'a finish that is the start',
      { times: { x: { start: '08:00', finish: '08:00', timeZone: 'UTC' } } },
      [
        'times.x: {"start":"08:00","finish":"08:00","timeZone":"UTC"}, a finish other than the start; the whole day is "00:00" to "24:00"',
      ],
    ],
    [
      'a weekday that is none',
      { times: { x: { ...office, weekdays: ['mo'] } } },
      ['times.x.weekdays[0]: "mo", "thu", "fri", "sat", "sun", "mon", "tue", "wed"'],
    ],
    [
      'no weekday at all',
      { times: { x: { ...office, weekdays: [] } } },
      ['times.x.weekdays: [], at least one weekday'],
    ],
    [
      'a day that no calendar has',
      { times: { x: { ...office, dates: ['2026-02-30'] } } },
      ['times.x.dates[0]: "2026-02-30", a day of the calendar: "2026-12-24", "12-25" or "2026-12-24/2027-01-01"'],
    ],
    [
      'a time zone that does not exist',
      { times: { x: { timeZone: 'Europe/Berln' } } },
      ['times.x.timeZone: "Europe/Berln", an IANA time zone such as "Europe/Berlin"'],
    ],
    [
      'no time zone at all',
      { times: { x: { start: '08:00' } } },
      ['times.x.timeZone: nothing, a time zone, here or as timeZone of the plan'],
    ],
    [
      'a negative length',
      { transforms: { 1: { type: 'delete', start: 0, length: -1 } } },
      ['transforms.1.length: -1, a whole number from 1 to 64'],
    ],
    [
      'a negative start, in a sequence',
      { transforms: { 1: { type: 'sequence', steps: [drop, { type: 'insert', start: -2, digits: '1' }] } } },
      ['transforms.1.steps[1].start: -2, a whole number from 0 to 64'],
    ],
    [
      'a length that is no whole number, written out in a rule',
      { called: [{ ...rule, transform: { type: 'delete', start: 0, length: 1.5 } }] },
      ['called[0].transform.length: 1.5, a whole number from 1 to 64'],
    ],
    [
      'digits that no number has',
      { transforms: { 1: { type: 'append', digits: '1 2' } } },
      ['transforms.1.digits: "1 2", letters, digits or + * # . _ ~ ! -, at most 64'],
    ],
    [
      'a kind of transformation that there is not',
      { transforms: { 1: { type: 'drop' } } },
      [
        'transforms.1.type: "drop", a transformation: its "type" is one of delete, insert, replace, append, keep, sequence',
      ],
    ],
    [
      'keep without a side',
      { transforms: { 1: { type: 'keep' } } },
      ['transforms.1: {"type":"keep"}, either "first" or "last"'],
    ],
    [
      'an empty sequence',
      { transforms: { 1: { type: 'sequence', steps: [] } } },
      ['transforms.1.steps: [], at least one'],
    ],
    [
      'an empty prefix',
      { called: [{ ...rule, prefix: '' }] },
      ['called[0].prefix: "", a prefix, or "*" for any number: letters, digits or + * # . _ ~ ! -, at most 64'],
    ],
    [
      'a prefix with a line break',
      { called: [{ ...rule, prefix: '1\n' }] },
      ['called[0].prefix: "1\\n", a prefix, or "*" for any number: letters, digits or + * # . _ ~ ! -, at most 64'],
    ],
    [
      'a kind of route that there is not',
      { called: [{ prefix: '9', route: { kind: 'lines' } }] },
      [
        'called[0].route.kind: "lines", a route: its "kind" is one of extension, line, group, trunk, peer, service, reject',
      ],
    ],
    [
      'a status that is no refusal',
      { called: [{ prefix: '9', route: { kind: 'reject', status: 200 } }] },
      ['called[0].route.status: 200, a whole number from 400 to 699'],
    ],
    [
      'a reason with a line break',
      { called: [{ prefix: '9', route: { kind: 'reject', status: 404, reason: 'a\r\nVia: x' } }] },
      ['called[0].route.reason: "a\\r\\nVia: x", a name of 1–128 characters'],
    ],
    ['a rate over a hundred', { blackList: [{ rate: 101 }] }, ['blackList[0].rate: 101, a percentage from 0 to 100']],
    [
      'a code that is a number',
      { codes: [{ code: '90', service: 'x' }] },
      ['codes[0].code: "90", a code such as "*90*number", "*90#" or "*74"'],
    ],
    [
      'an out-prefix with a space',
      { outPrefix: ' ' },
      ['outPrefix: " ", a prefix, or "" for none: letters, digits or + * # . _ ~ ! -, at most 64'],
    ],
    [
      'a field that does not exist',
      { called: [{ ...rule, rout: 1 }], calld: [] },
      ['called[0].rout: an option that does not exist, "route"', 'calld: an option that does not exist, "called"'],
    ],
    [
      'a misspelled field of a route, of its kind alone',
      { called: [{ prefix: '9', route: { kind: 'service', service: 'echo', extention: '1', nmae: 'x' } }] },
      [
        'called[0].route.extention: an option that does not exist, one of kind, service, name',
        'called[0].route.nmae: an option that does not exist, "name"',
      ],
    ],
    [
      'a misspelled field of a transformation by id, in a sequence too',
      { transforms: { 1: { ...drop, lenght: 1 }, 2: { type: 'sequence', steps: [{ ...drop, strat: 1 }] } } },
      [
        'transforms.1.lenght: an option that does not exist, "length"',
        'transforms.2.steps[0].strat: an option that does not exist, "start"',
      ],
    ],
    [
      'a misspelled field of a transformation in its place',
      { called: [{ ...rule, transform: { ...drop, lenght: 1 } }] },
      ['called[0].transform.lenght: an option that does not exist, "length"'],
    ],
    [
      'a misspelled field of a time condition',
      { times: { x: { ...office, timezone: 'UTC' } } },
      ['times.x.timezone: an option that does not exist, "timeZone"'],
    ],
    [
      'a misspelled field in each of the other tables',
      {
        codes: [{ code: '*1', service: 'x', nam: 'x' }],
        blackList: [{ rates: 1 }],
        caller: [{ prefix: '1', tranform: 1 }],
        refineCaller: [{ group: 'a', prefix: '1', transform: drop, goup: 'b' }],
      },
      [
        'codes[0].nam: an option that does not exist, "name"',
        'blackList[0].rates: an option that does not exist, "rate"',
        'caller[0].tranform: an option that does not exist, "transform"',
        'refineCaller[0].goup: an option that does not exist, "group"',
      ],
    ],
    ['a rule without a prefix', { called: [{ route: line() }] }, ['called[0].prefix: nothing, a value']],
    ['a table that is no list', { called: {} }, ['called: {}, a list of rules']],
    ['no rules at all', undefined, [': nothing, rules such as { called: […] }']],
  ])('%s', (_name, rules, expected) => {
    expect(faults(rules)).toEqual(expected);
  });

  test('every fault is told, in the message too', () => {
    const rules: unknown = { called: [{ ...rule, transform: 1 }, rule], caller: [{ prefix: '1', time: 'x' }] };
    expect(faults(rules)).toHaveLength(3);
    expect(() => new DialPlan(rules as DialPlanRules)).toThrow(
      'called[0].transform: found 1, which is not in transforms, expected an id that is defined\n',
    );
  });

  test('what looks alike and is not refused', () => {
    expect(
      faults({
        timeZone: 'UTC',
        times: { a: {}, b: { start: '22:00', finish: '06:00' }, c: { start: '18:00', finish: '00:00' } },
        transforms: { 1: { type: 'replace', start: 0, length: 0, digits: '' } },
        levels: ['world'],
        blackList: [{}, { caller: '1' }, { caller: '1', called: '2' }],
        codes: [
          { code: '*6*a', service: 'x' },
          { code: '*6*a*b', service: 'x' },
          { code: '*90#', service: 'x' },
        ],
        caller: [{ prefix: '1' }, { prefix: '1', time: 'a' }, { plan: 'inbound', prefix: '1' }],
        called: [
          { prefix: '1', route: extension(), time: 'a' },
          { prefix: '1', route: extension(), time: 'b' },
          { prefix: '1', route: extension(), level: 'world' },
          { plan: 'x', prefix: '1', route: extension() },
          { prefix: '*', transform: '1', reanalyse: true },
        ],
        refineCalled: [
          { group: 'a', prefix: '1', transform: 1 },
          { group: 'b', prefix: '1', transform: 1 },
        ],
      }),
    ).toEqual([]);
    expect(faults({})).toEqual([]);
  });
});
