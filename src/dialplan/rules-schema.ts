import * as v from 'valibot';
import { trueOrFalse, whole } from '../base/schema-parts.js';
import { furtherProblems } from '../base/schema-problems.js';
import { codeFault } from './feature-code.js';
import { ANY } from './prefix-table.js';
import { ruleFaults } from './rule-faults.js';
import type { DialPlanRules } from './rules.js';
import { dateSetOf, minuteOf, WEEKDAYS } from './time-condition.js';
import { isTimeZone } from './zone-clock.js';

const NUMBER = 'letters, digits or + * # . _ ~ ! -, at most 64';
const NAME = 'a name of 1–128 characters';
const ZONE = 'an IANA time zone such as "Europe/Berlin"';
const TRANSFORM_TYPES = ['delete', 'insert', 'replace', 'append', 'keep', 'sequence'];
const ROUTE_KINDS = ['extension', 'line', 'group', 'trunk', 'peer', 'service', 'reject'];

const name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,128}$/u, NAME));
const prefix = number(`a prefix, or "${ANY}" for any number: ${NUMBER}`, 1);

function number(expected: string, min: number) {
  return v.pipe(
    v.string(expected),
    v.check((text) => text.length >= min && text.length <= 64 && /^[A-Za-z0-9+*#._~!-]*$/.test(text), expected),
  );
}

const position = whole(0, 64);
const digits = number(NUMBER, 1);

const transform: v.GenericSchema = v.variant(
  'type',
  [
    v.strictObject({ type: v.literal('delete'), start: position, length: whole(1, 64) }),
    v.strictObject({ type: v.literal('insert'), start: position, digits }),
    v.strictObject({ type: v.literal('replace'), start: position, length: position, digits: number(NUMBER, 0) }),
    v.strictObject({ type: v.literal('append'), digits }),
    v.pipe(
      v.strictObject({ type: v.literal('keep'), first: v.optional(position), last: v.optional(position) }),
      v.check(({ first, last }) => (first === undefined) !== (last === undefined), 'either "first" or "last"'),
    ),
    v.strictObject({
      type: v.literal('sequence'),
      steps: v.pipe(
        v.array(
          v.lazy(() => transform),
          'a list of transformations',
        ),
        v.minLength(1, 'at least one'),
      ),
    }),
  ],
  `a transformation: its "type" is one of ${TRANSFORM_TYPES.join(', ')}`,
);

const route = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('extension'), extension: v.optional(digits) }),
    v.strictObject({ kind: v.literal('line'), line: v.optional(name) }),
    v.strictObject({ kind: v.literal('group'), group: name }),
    v.strictObject({ kind: v.literal('trunk'), trunk: name }),
    v.strictObject({ kind: v.literal('peer'), peer: name }),
    v.strictObject({ kind: v.literal('service'), service: name, name: v.optional(name) }),
    v.strictObject({ kind: v.literal('reject'), status: whole(400, 699), reason: v.optional(name) }),
  ],
  `a route: its "kind" is one of ${ROUTE_KINDS.join(', ')}`,
);

const REF = 'the id of a transformation, or a transformation';
const transformRef = v.lazy((input) =>
  typeof input === 'object' && input !== null ? transform : v.union([v.string(REF), v.number(REF)], REF),
);

const time = v.pipe(
  v.strictObject(
    {
      start: v.optional(clock('a time from "00:00" to "23:59"', 24 * 60 - 1)),
      finish: v.optional(clock('a time from "00:00" to "24:00"', 24 * 60)),
      weekdays: v.optional(
        v.pipe(
          v.array(v.picklist(WEEKDAYS, WEEKDAYS.map((day) => `"${day}"`).join(', ')), 'a list of weekdays'),
          v.minLength(1, 'at least one weekday'),
        ),
      ),
      dates: v.optional(
        v.pipe(
          v.array(
            v.pipe(
              v.string('a date'),
              v.check(
                (text) => dateSetOf(text) !== undefined,
                'a day of the calendar: "2026-12-24", "12-25" or "2026-12-24/2027-01-01"',
              ),
            ),
            'a list of dates',
          ),
          v.minLength(1, 'at least one date'),
        ),
      ),
      timeZone: v.optional(v.pipe(v.string(ZONE), v.check(isTimeZone, ZONE))),
    },
    'a time condition such as { "start": "08:00", "finish": "18:00" }',
  ),
  v.check(
    ({ start = '00:00', finish = '24:00' }) => start !== finish,
    'a finish other than the start; the whole day is "00:00" to "24:00"',
  ),
);

function clock(expected: string, last: number) {
  return v.pipe(
    v.string(expected),
    v.check((text) => (minuteOf(text) ?? last + 1) <= last, expected),
  );
}

const code = v.pipe(
  v.string('a code such as "*90*number"'),
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed ? codeFault(dataset.value) : undefined;
    if (fault !== undefined) addIssue({ message: fault });
  }),
);

const refine = list(v.strictObject({ group: name, prefix, transform: transformRef }, 'a rule'));

function list<T extends v.GenericSchema>(of: T) {
  return v.optional(v.array(of, 'a list of rules'));
}

const shape = v.strictObject(
  {
    outPrefix: v.optional(number(`a prefix, or "" for none: ${NUMBER}`, 0)),
    transforms: v.optional(v.record(name, transform, 'transformations by id')),
    times: v.optional(v.record(name, time, 'time conditions by id')),
    timeZone: v.optional(v.pipe(v.string(ZONE), v.check(isTimeZone, ZONE))),
    levels: v.optional(v.array(name, 'a list of call levels')),
    codes: list(v.strictObject({ code, service: name, name: v.optional(name) }, 'a feature code')),
    blackList: list(
      v.strictObject(
        { caller: v.optional(prefix), called: v.optional(prefix), rate: v.optional(percent()) },
        'a black list rule',
      ),
    ),
    caller: list(
      v.strictObject(
        {
          plan: v.optional(name),
          prefix,
          use: v.optional(name),
          transform: v.optional(transformRef),
          time: v.optional(name),
        },
        'a rule',
      ),
    ),
    called: list(
      v.strictObject(
        {
          plan: v.optional(name),
          prefix,
          route: v.optional(route),
          transform: v.optional(transformRef),
          reanalyse: v.optional(trueOrFalse),
          level: v.optional(name),
          time: v.optional(name),
        },
        'a rule',
      ),
    ),
    refineCaller: refine,
    refineCalled: refine,
  },
  'rules such as { called: […] }',
);

function percent() {
  const expected = 'a percentage from 0 to 100';
  return v.pipe(v.number(expected), v.minValue(0, expected), v.maxValue(100, expected));
}

/** Rules that make a dial plan: what has the shape, and fits together. */
export const rulesSchema = v.pipe(
  shape,
  furtherProblems((rules) => ruleFaults(rules as DialPlanRules)),
);
