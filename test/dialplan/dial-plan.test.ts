import {
  DialPlan,
  type DialPlanRules,
  deleteDigits,
  extension,
  FEATURE_CODES,
  group,
  line,
  type PlanCall,
  peer,
  reject,
  replaceDigits,
  service,
  trunk,
} from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';

/** Where a number leads, as the last words of the explanation. */
function to(rules: DialPlanRules, called: string, more: Partial<PlanCall> = {}): string | undefined {
  return String(new DialPlan(rules).explain({ caller: '100', called, ...more }))
    .split(' → ')
    .at(-1);
}

const carriers: DialPlanRules = {
  transforms: { 1: deleteDigits({ start: 0, length: 1 }) },
  called: [
    { prefix: '9', route: line('1234'), transform: 1 },
    { prefix: '8', route: line('5678'), transform: 1 },
  ],
};

describe('the worked case (product facts, part 1)', () => {
  const plan = new DialPlan(carriers);

  test('9xxxx leads to line 1234 as xxxx, 8xxxx to line 5678 as xxxx', () => {
    expect(plan.decide({ caller: '100', called: '95551234' })).toEqual({
      kind: 'line',
      line: '1234',
      caller: '100',
      called: '5551234',
      plan: 'default',
      rule: 'called[0]',
      requiredLevels: [],
    });
    expect(plan.decide({ caller: '100', called: '85551234' })).toMatchObject({ line: '5678', called: '5551234' });
  });

  test('it explains itself in one line', () => {
    expect(String(plan.explain({ caller: '100', called: '95551234' }))).toBe(
      '95551234 matched prefix 9 → transformation 1 deleted `9` → line 1234 as 5551234',
    );
  });

  test('and as data', () => {
    const { steps, decision } = plan.explain({ caller: '100', called: '95551234' });
    expect(steps).toEqual([
      { kind: 'called', called: '95551234', prefix: '9', rule: 'called[0]' },
      {
        kind: 'transformed',
        party: 'called',
        id: '1',
        transform: { type: 'delete', start: 0, length: 1 },
        from: '95551234',
        to: '5551234',
      },
      { kind: 'decided', decision },
    ]);
  });

  test('nothing is wrong with it, and both lines are asked for', () => {
    expect(plan.check({ lines: ['1234', '5678'] })).toEqual([]);
    expect(plan.check({ lines: ['1234'] })).toEqual([
      { rule: 'called[1]', kind: 'missing', problem: 'there is no line 5678' },
    ]);
  });
});

describe('without a rule (product facts, part 1)', () => {
  test.each([
    ['a number is a local user', {}, '101', 'extension 101'],
    ['the out-prefix 9 leads to any line and is removed', {}, '95551234', 'any line as 5551234'],
    [
      'an explicit rule for 9 does not remove it',
      { called: [{ prefix: '9', route: line() }] },
      '95551234',
      'any line as 95551234',
    ],
    ['another out-prefix', { outPrefix: '0' }, '05551234', 'any line as 5551234'],
    ['another out-prefix: 9 is local then', { outPrefix: '0' }, '95551234', 'extension 95551234'],
    ['an out-prefix of several digits', { outPrefix: '99' }, '9955', 'any line as 55'],
    [
      'no out-prefix: a local user, or else any line',
      { outPrefix: '' },
      '5551234',
      'extension 5551234, or any line as 5551234',
    ],
    ['nothing behind the out-prefix', {}, '9', 'reject 484 Address Incomplete'],
    ['nothing dialled', {}, '', 'reject 484 Address Incomplete'],
  ] satisfies [string, DialPlanRules, string, string][])('%s', (_name, rules, called, expected) => {
    expect(to(rules, called)).toBe(expected);
  });

  test('the decision without an out-prefix says what to do when there is no such extension', () => {
    const plan = new DialPlan({ outPrefix: '' });
    expect(plan.decide({ caller: '100', called: '101' })).toMatchObject({
      kind: 'extension',
      extension: '101',
      otherwise: 'line',
    });
  });
});

describe('analyse the called number', () => {
  test.each([
    ['local user', extension(), '7001', 'extension 7001'],
    ['one local user for all', extension('100'), '7001', 'extension 100'],
    ['any line', line(), '7001', 'any line as 7001'],
    ['group', group('carriers'), '7001', 'group carriers as 7001'],
    ['SIP trunk', trunk('berlin'), '7001', 'trunk berlin as 7001'],
    ['peer server', peer('branch'), '7001', 'peer branch as 7001'],
    ['service', service('autoAttendant'), '7001', 'autoAttendant'],
    ['one of several services', service('ivr', 'menu'), '7001', 'ivr menu'],
    ['reject', reject(404, 'No Such Number'), '7001', 'reject 404 No Such Number'],
  ])('route types: %s', (_name, route, called, expected) => {
    expect(to({ called: [{ prefix: '7', route }] }, called)).toBe(expected);
  });

  test('the longest prefix wins, whatever the order; * takes the rest', () => {
    const called = [
      { prefix: '*', route: reject(404) },
      { prefix: '1', route: line('one') },
      { prefix: '123', route: line('three') },
      { prefix: '12', route: line('two') },
    ];
    for (const rules of [called, [...called].reverse()]) {
      expect(['1', '12', '1234', '13', '2', '9'].map((each) => to({ called: rules }, each))).toEqual([
        'line one as 1',
        'line two as 12',
        'line three as 1234',
        'line one as 13',
        'reject 404',
        'reject 404',
      ]);
    }
  });

  test('re-analysis goes on with the changed number in the same plan, and asks for all levels on the way', () => {
    const rules: DialPlanRules = {
      called: [
        { prefix: '0', transform: replaceDigits({ length: 1, digits: '+49' }), reanalyse: true, level: 'city' },
        { prefix: '+', transform: deleteDigits({ length: 1 }), route: trunk('world'), level: 'world' },
      ],
    };
    const call = { caller: '100', called: '030123', levels: ['city', 'world'] };
    expect(String(new DialPlan(rules).explain(call))).toBe(
      '030123 matched prefix 0 → level city is owned → its transformation replaced `0` by `+49` → +4930123 is analysed again → ' +
        '+4930123 matched prefix + → level world is owned → its transformation deleted `+` → trunk world as 4930123',
    );
    expect(new DialPlan(rules).decide(call)).toMatchObject({ requiredLevels: ['city', 'world'] });
  });

  test('re-analysis may end in the default', () => {
    const called = [{ prefix: '7', transform: deleteDigits({ length: 1 }), reanalyse: true }];
    expect(to({ called }, '795551234')).toBe('any line as 5551234');
    expect(to({ called }, '7101')).toBe('extension 101');
  });

  test('a loop of re-analysis ends with a clear error', () => {
    const called = [
      { prefix: '1', transform: replaceDigits({ length: 1, digits: '2' }), reanalyse: true },
      { prefix: '2', transform: replaceDigits({ length: 1, digits: '1' }), reanalyse: true },
    ];
    expect(String(new DialPlan({ called }).explain({ caller: '', called: '15' }))).toBe(
      '15 matched prefix 1 → its transformation replaced `1` by `2` → 25 is analysed again → 25 matched prefix 2 → ' +
        'its transformation replaced `2` by `1` → 15 goes round without end → reject 482 Dial Plan Loop',
    );
  });

  test('a transformation that leaves nothing to call', () => {
    const rule = { prefix: '9', route: line('1234'), transform: deleteDigits({ length: 1 }) };
    expect(to({ called: [rule] }, '9')).toBe('reject 484 Address Incomplete');
    expect(to({ called: [{ ...rule, route: extension() }] }, '9')).toBe('reject 484 Address Incomplete');
    expect(to({ called: [{ ...rule, route: service('voicemail') }] }, '9')).toBe('voicemail');
  });
});

describe('call levels', () => {
  const rules: DialPlanRules = { called: [{ prefix: '00', route: line('1234'), level: 'international' }] };

  test('a prefix may require a level; who does not own it is refused', () => {
    expect(to(rules, '0049', { levels: ['city', 'international'] })).toBe('line 1234 as 0049');
    expect(to(rules, '0049', { levels: ['city'] })).toBe('reject 403 Call Level Required');
    expect(to(rules, '0049')).toBe('reject 403 Call Level Required');
  });

  test('no level on the prefix: everyone may', () => {
    expect(to(rules, '01')).toBe('extension 01');
  });
});

describe('analyse the caller and several dial plans', () => {
  const rules: DialPlanRules = {
    caller: [
      { prefix: '1', use: 'sales' },
      { prefix: '100', use: 'default' },
      { plan: 'inbound', prefix: '*', transform: replaceDigits({ length: 1, digits: '00' }) },
      { prefix: '2', transform: deleteDigits({ length: 1 }) },
    ],
    called: [
      { plan: 'sales', prefix: '5', route: service('huntGroup', 'sales') },
      { plan: 'inbound', prefix: '5', route: extension('500') },
    ],
  };
  const plan = new DialPlan(rules);

  test('the caller prefix chooses the plan', () => {
    expect(plan.decide({ caller: '120', called: '5' })).toMatchObject({
      kind: 'service',
      name: 'sales',
      plan: 'sales',
      rule: 'called[0]',
    });
    expect(plan.decide({ caller: '100', called: '5' })).toMatchObject({
      kind: 'extension',
      extension: '5',
      plan: 'default',
    });
    expect(plan.decide({ caller: '300', called: '5' })).toMatchObject({ kind: 'extension', plan: 'default' });
  });

  test('a call may come in with a plan of its own, and its caller is changed', () => {
    expect(plan.decide({ caller: '+49123', called: '5', plan: 'inbound' })).toMatchObject({
      extension: '500',
      caller: '0049123',
      called: '5',
      plan: 'inbound',
    });
  });

  test('the explanation tells of the caller', () => {
    expect(String(plan.explain({ caller: '200', called: '5' }))).toBe(
      'caller 200 matched prefix 2, plan default → its transformation deleted `2` of the caller → 5 matched no prefix → extension 5',
    );
  });

  test('a plan that does not exist is a mistake of the program', () => {
    expect(() => plan.decide({ caller: '1', called: '2', plan: 'inbond' })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', message: 'there is no dial plan "inbond"' }),
    );
  });
});

describe('the black list', () => {
  const rules: DialPlanRules = {
    blackList: [
      { caller: '0049900' },
      { caller: '00', called: '1', rate: 50 },
      { caller: '0041', rate: 0 },
      { caller: 'anonymous', called: '100' },
      { called: '0900' },
    ],
  };

  test.each([
    ['a caller prefix', { caller: '0049900123', called: '5' }, 'reject 403 Call Barred'],
    ['any caller to a called prefix', { caller: '100', called: '09001' }, 'reject 403 Call Barred'],
    ['both prefixes, by rate: below it', { caller: '0042', called: '1', random: 0.49 }, 'reject 403 Call Barred'],
    ['both prefixes, by rate: at it', { caller: '0042', called: '1', random: 0.5 }, 'extension 1'],
    ['nothing drawn: whoever may be refused is', { caller: '0042', called: '1' }, 'reject 403 Call Barred'],
    ['the called prefix does not fit', { caller: '0042', called: '2' }, 'extension 2'],
    ['a longer caller prefix with rate 0 is an exception', { caller: '0041', called: '1', random: 0 }, 'extension 1'],
    ['an anonymous caller', { caller: '0041', called: '100', anonymous: true }, 'reject 403 Call Barred'],
    ['a caller of that name', { caller: 'anonymous', called: '100' }, 'reject 403 Call Barred'],
    ['an anonymous caller to others', { caller: '0041', called: '101', anonymous: true }, 'extension 101'],
    [
      'an anonymous caller whose number is known is looked up by it too',
      { caller: '00499001', called: '7', anonymous: true },
      'reject 403 Call Barred',
    ],
    ['nobody', { caller: '100', called: '101' }, 'extension 101'],
  ])('%s', (_name, call, expected) => {
    expect(to(rules, call.called, call)).toBe(expected);
  });

  test('both numbers are taken as they came', () => {
    const changed: DialPlanRules = {
      ...rules,
      caller: [{ prefix: '*', transform: replaceDigits({ length: 64, digits: '1' }) }],
    };
    const plan = new DialPlan(changed);
    expect(plan.decide({ caller: '0049900', called: '5' })).toMatchObject({ status: 403, rule: 'blackList[0]' });
    expect(String(plan.explain({ caller: '0042', called: '1', random: 0.9 }))).toContain(
      'black list spares caller 00, called 1 → ',
    );
  });
});

describe('feature codes in a plan', () => {
  const plan = new DialPlan({ codes: FEATURE_CODES, called: [{ prefix: '*', route: reject(404) }] });

  test('they go before the rules, with what was dialled for their words', () => {
    expect(plan.decide({ caller: '100', called: '*40*101' })).toMatchObject({
      kind: 'service',
      service: 'pickup',
      arguments: { number: '101' },
      called: '*40*101',
      rule: 'codes[8]',
    });
    expect(String(plan.explain({ caller: '100', called: '*90*101#' }))).toBe(
      '*90*101# is the code *90*number → forwarding busy with number 101',
    );
    expect(to({ codes: FEATURE_CODES }, '*90#')).toBe('forwarding busy');
  });

  test('what is no code is a number', () => {
    expect(plan.decide({ caller: '100', called: '*40*' })).toMatchObject({ status: 404 });
  });
});

describe('time conditions in a plan', () => {
  const rules: DialPlanRules = {
    timeZone: 'Europe/Berlin',
    times: {
      office: { start: '08:00', finish: '18:00', weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'] },
      holiday: { dates: ['12-25'] },
    },
    called: [
      { prefix: '500', route: service('autoAttendant') },
      { prefix: '500', route: extension('100'), time: 'office' },
      { prefix: '5', route: reject(480, 'Closed') },
      { prefix: '50', route: service('voicemail', 'holiday'), time: 'holiday' },
    ],
  };
  const plan = new DialPlan(rules);
  const at = (text: string) => Date.parse(text);

  test('rules of one prefix: the one whose time holds goes before the one without', () => {
    expect(plan.decide({ caller: '1', called: '500', at: at('2026-03-02T09:00:00Z') })).toMatchObject({
      extension: '100',
    });
    expect(plan.decide({ caller: '1', called: '500', at: at('2026-03-02T19:00:00Z') })).toMatchObject({
      service: 'autoAttendant',
    });
    expect(String(plan.explain({ caller: '1', called: '500', at: at('2026-03-02T19:00:00Z') }))).toBe(
      'prefix 500 is out of time office → 500 matched prefix 500 → autoAttendant',
    );
  });

  test('where none holds, the next shorter prefix counts', () => {
    expect(plan.decide({ caller: '1', called: '50', at: at('2026-12-25T12:00:00Z') })).toMatchObject({
      service: 'voicemail',
    });
    expect(plan.decide({ caller: '1', called: '50', at: at('2026-12-26T12:00:00Z') })).toMatchObject({ status: 480 });
  });

  test('of several that hold the first one counts', () => {
    const two = { ...rules, called: [...(rules.called ?? []), { prefix: '500', route: reject(486), time: 'holiday' }] };
    expect(new DialPlan(two).decide({ caller: '1', called: '500', at: at('2026-12-25T12:00:00Z') })).toMatchObject({
      extension: '100',
    });
  });

  test('an instant must be given when a rule asks for the time, and a real one', () => {
    for (const wrong of [undefined, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => plan.decide({ caller: '1', called: '7', ...(wrong === undefined ? {} : { at: wrong }) })).toThrow(
        expect.objectContaining({
          code: 'PBX_INVALID_ARGUMENT',
          message: expect.stringMatching(/^at: found (nothing|NaN|Infinity), /),
        }),
      );
    expect(new DialPlan(carriers).decide({ caller: '1', called: '7' })).toMatchObject({ extension: '7' });
  });

  test('lines and users ask for a condition by its id', () => {
    expect(plan.isOpen('office', at('2026-03-02T07:00:00Z'))).toBe(true);
    expect(plan.isOpen('office', at('2026-03-02T06:59:00Z'))).toBe(false);
    expect(() => plan.isOpen('offcie', 0)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
    expect(() => plan.isOpen('office', Number.NaN)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });
});

describe('refine: the last change before a number leaves', () => {
  const plan = new DialPlan({
    transforms: { national: replaceDigits({ length: 1, digits: '+49' }) },
    refineCaller: [
      { group: 'carriers', prefix: '1', transform: replaceDigits({ length: 0, digits: '+4930555' }) },
      { group: 'carriers', prefix: '*', transform: replaceDigits({ length: 64, digits: '+49305550' }) },
    ],
    refineCalled: [
      { group: 'carriers', prefix: '0', transform: 'national' },
      { group: 'carriers', prefix: '00', transform: replaceDigits({ length: 2, digits: '+' }) },
    ],
  });

  test.each([
    ['carriers', { caller: '100', called: '030123' }, { caller: '+4930555100', called: '+4930123' }],
    ['carriers', { caller: '200', called: '004412' }, { caller: '+49305550', called: '+4412' }],
    ['carriers', { caller: '200', called: '5551234' }, { caller: '+49305550', called: '5551234' }],
    ['others', { caller: '100', called: '030123' }, { caller: '100', called: '030123' }],
  ])('by outgoing group, the longest prefix of each number: %s %j', (name, numbers, expected) => {
    expect(plan.refine(name, numbers)).toEqual(expected);
  });
});

test('what the host does to its rules later is not the plan', () => {
  const rules = { called: [{ prefix: '7', route: { kind: 'line' as const, line: 'a' } }] };
  const plan = new DialPlan(rules);
  rules.called[0] = { prefix: '7', route: { kind: 'line', line: 'b' } };
  expect(plan.decide({ caller: '1', called: '7' })).toMatchObject({ line: 'a' });
  expect(plan.check({ lines: ['a'] })).toEqual([]);
});

test('rules may come from a JSON file', () => {
  const plan = new DialPlan(JSON.parse(JSON.stringify(carriers)) as DialPlanRules);
  expect(plan.decide({ caller: '100', called: '95551234' })).toMatchObject({ line: '1234', called: '5551234' });
});
