import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/config-error.js';
import { accept, furtherProblems, told } from '../../src/base/schema-problems.js';

const rule = v.strictObject({ prefix: v.string('a prefix'), route: v.optional(v.string('a route')) }, 'a rule');

const change: v.GenericSchema = v.variant(
  'type',
  [
    v.strictObject({ type: v.literal('delete'), start: v.number('a number') }),
    v.pipe(
      v.strictObject({ type: v.literal('keep'), first: v.optional(v.number()), last: v.optional(v.number()) }),
      v.check(({ first, last }) => (first === undefined) !== (last === undefined), 'either "first" or "last"'),
    ),
    v.strictObject({ type: v.literal('sequence'), steps: v.array(v.lazy(() => change)) }),
  ],
  'a change of type delete, keep or sequence',
);

const schema = v.pipe(
  v.strictObject({
    rules: v.optional(v.array(rule, 'a list of rules')),
    pair: v.optional(v.tuple([rule, v.number('a number')])),
    one: v.optional(v.lazy((input) => (Array.isArray(input) ? v.array(rule) : rule))),
    changes: v.optional(v.record(v.string(), change)),
    mode: v.optional(v.union([v.literal(false), rule], 'false, or a rule')),
    any: v.optional(v.union([rule, v.strictObject({ number: v.number() })], 'a rule or a number')),
    piped: v.nullish(v.pipe(v.unknown(), rule)),
    password: v.optional(v.pipe(v.string('a password'), v.minLength(3, 'three characters or more'))),
  }),
  furtherProblems(({ rules = [] }) =>
    rules.flatMap(({ prefix }, i) =>
      prefix === '0' ? [{ path: `rules[${i}].prefix`, found: 'the operator', expected: 'another prefix' }] : [],
    ),
  ),
);

/** `path: found / expected`. */
function problems(value: unknown, against: v.GenericSchema = schema): string[] {
  try {
    accept(against, value, (all) => new ConfigError('PBX_CONFIG_INVALID', 'options', all));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, found, expected }) => `${path}: ${found} / ${expected}`);
  }
}

const unknown = (path: string, hint: string): string => `${path}: an option that does not exist / ${hint}`;

describe('a misspelled key is told with its place and the nearest that exists', () => {
  const ruled = { prefix: '1' };
  test.each<[string, unknown, string]>([
    ['of the whole', { ruels: [] }, unknown('ruels', '"rules"')],
    ['in a list', { rules: [ruled, { ...ruled, rout: '' }] }, unknown('rules[1].rout', '"route"')],
    ['in a tuple', { pair: [{ ...ruled, rout: '' }, 1] }, unknown('pair[0].rout', '"route"')],
    ['behind lazy', { one: { ...ruled, rout: '' } }, unknown('one.rout', '"route"')],
    ['behind lazy, in a list', { one: [{ ...ruled, rout: '' }] }, unknown('one[0].rout', '"route"')],
    [
      'in a record and a variant',
      { changes: { a: { type: 'delete', start: 0, strat: 1 } } },
      unknown('changes.a.strat', '"start"'),
    ],
    [
      'in a variant with a pipe: only what this kind has is offered',
      { changes: { a: { type: 'keep', first: 1, start: 1 } } },
      unknown('changes.a.start', 'one of type, first, last'),
    ],
    [
      'in a variant that holds itself',
      {
        changes: {
          a: { type: 'sequence', steps: [{ type: 'sequence', steps: [{ type: 'keep', first: 1, lats: 1 }] }] },
        },
      },
      unknown('changes.a.steps[0].steps[0].lats', '"last"'),
    ],
    ['in a union with what is no object', { mode: { ...ruled, rout: '' } }, unknown('mode.rout', '"route"')],
    ['behind nullish and a pipe', { piped: { ...ruled, rout: '' } }, unknown('piped.rout', '"route"')],
  ])('%s', (_, value, expected) => {
    expect(problems(value)).toEqual([expected]);
  });

  test('every one of an object', () => {
    expect(problems({ rules: [{ ...ruled, rout: '', colour: 1 }], ruels: [], mod: false })).toEqual([
      unknown('rules[0].rout', '"route"'),
      unknown('rules[0].colour', 'one of prefix, route'),
      unknown('ruels', '"rules"'),
      unknown('mod', '"mode"'),
    ]);
  });

  test('also the key that decides which kind a variant is', () => {
    expect(problems({ changes: { a: { typ: 'delete', start: 0 } } })).toEqual([
      'changes.a.type: nothing / a change of type delete, keep or sequence',
      unknown('changes.a.typ', '"type"'),
    ]);
  });

  test('beside the one that is missed for it', () => {
    expect(problems({ rules: [{ prefx: '1' }] })).toEqual([
      'rules[0].prefix: nothing / a value',
      unknown('rules[0].prefx', '"prefix"'),
    ]);
  });

  test('a key that every object inherits is no option', () => {
    expect(problems({ toString: 1 })[0]).toContain('toString: an option that does not exist');
  });

  test('one that the object inherits counts as its own', () => {
    expect(problems(Object.create({ ruels: [] }))).toEqual([unknown('ruels', '"rules"')]);
  });

  test('a key with spaces or line breaks is quoted, so that a problem stays one line', () => {
    expect(problems({ 'a\nb': 1 })[0]).toMatch(/^\["a\\nb"\]: an option that does not exist/);
    expect(problems({ rules: [{ ...ruled, 'a.b': 1 }] })[0]).toMatch(/^rules\[0\]\["a\.b"\]: an option/);
  });
});

describe('faults', () => {
  test('all are told, each with path, what was found and what was expected', () => {
    expect(problems({ rules: [{ prefix: 1 }, 2], changes: { a: { type: 'drop' } }, password: 'ab' })).toEqual([
      'rules[0].prefix: 1 / a prefix',
      'rules[1]: 2 / a rule',
      'changes.a.type: "drop" / a change of type delete, keep or sequence',
      'password: a text of 2 characters / three characters or more',
    ]);
  });

  test('of a union: what is wrong inside the one object that could be meant, or else what the union takes', () => {
    expect(problems({ mode: { prefix: 1 } })).toEqual(['mode.prefix: 1 / a prefix']);
    expect(problems({ mode: true })).toEqual(['mode: true / false, or a rule']);
    expect(problems({ any: { nmber: 1 } })).toEqual(['any: {"nmber":1} / a rule or a number']);
  });

  test('of the whole have an empty path', () => {
    expect(problems(7, v.strictObject({}, 'options'))).toEqual([': 7 / options']);
    expect(problems(undefined, v.strictObject({}, 'options'))).toEqual([': nothing / options']);
  });

  test('are told once where two checks expect the same', () => {
    const port = v.pipe(v.number(), v.integer('a port'), v.minValue(1, 'a port'));
    expect(problems({ port: -1.5 }, v.strictObject({ port }))).toEqual(['port: -1.5 / a port']);
  });

  test('none where all is well: the value is what the schema makes of it', () => {
    expect(problems({ rules: [{ prefix: '1' }], mode: false, piped: null })).toEqual([]);
    const length = v.pipe(
      v.string(),
      v.transform((text) => text.length),
    );
    expect(accept(length, 'four', () => new Error())).toBe(4);
  });
});

describe('problems that a function finds', () => {
  const nested = v.strictObject({ plans: v.array(schema) });

  test('keep their words, and their paths begin at the value that was looked at', () => {
    const value = { rules: [{ prefix: '1' }, { prefix: '0' }] };
    expect(problems(value)).toEqual(['rules[1].prefix: the operator / another prefix']);
    expect(problems({ plans: [{}, value] }, nested)).toEqual([
      'plans[1].rules[1].prefix: the operator / another prefix',
    ]);
  });

  test('are not looked for in what has faults already', () => {
    expect(problems({ rules: [{ prefix: '0', route: 1 }] })).toEqual(['rules[0].route: 1 / a route']);
  });

  test('may be told by a check of one’s own, about the whole too', () => {
    const own = v.pipe(
      v.strictObject({ a: v.number() }),
      v.rawCheck(({ addIssue }) => addIssue(told({ path: '', found: 'this', expected: 'that' }))),
    );
    expect(problems({ a: 1 }, own)).toEqual([': this / that']);
    expect(problems({ plans: { a: 1 } }, v.strictObject({ plans: own }))).toEqual(['plans: this / that']);
  });
});
