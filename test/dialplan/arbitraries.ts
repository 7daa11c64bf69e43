import fc from 'fast-check';
import {
  appendDigits,
  type CalledRule,
  type CallerRule,
  type DialPlanRules,
  deleteDigits,
  extension,
  group,
  insertDigits,
  keepDigits,
  line,
  type PlanCall,
  type Route,
  reject,
  replaceDigits,
  sequence,
  service,
  type TimeCondition,
  type Transform,
  trunk,
} from 'pbxkit/dialplan';

/** Few digits, so that random prefixes and numbers meet. */
const digit = fc.constantFrom('1', '2', '9', '*');

/** A number that somebody may dial. */
export const numbers = (): fc.Arbitrary<string> => fc.string({ unit: digit, maxLength: 12 });

const digits = fc.string({ unit: digit, minLength: 1, maxLength: 3 });
const prefix = fc.oneof(
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 6, arbitrary: fc.string({ unit: digit, minLength: 1, maxLength: 3 }) },
);
const position = fc.integer({ min: 0, max: 4 });
const simple: fc.Arbitrary<Transform> = fc.oneof(
  fc.record({ start: position, length: fc.integer({ min: 1, max: 4 }) }).map(deleteDigits),
  fc.record({ start: position, digits }).map(insertDigits),
  fc.record({ start: position, length: position, digits }).map(replaceDigits),
  digits.map(appendDigits),
  position.map((first) => keepDigits({ first })),
  position.map((last) => keepDigits({ last })),
);

/** A good transformation. */
export const transforms = (): fc.Arbitrary<Transform> =>
  fc.oneof(
    { weight: 5, arbitrary: simple },
    { weight: 1, arbitrary: fc.array(simple, { minLength: 1, maxLength: 3 }).map((steps) => sequence(...steps)) },
  );

const route: fc.Arbitrary<Route> = fc.constantFrom<Route[]>(
  extension(),
  extension('100'),
  line(),
  line('1234'),
  group('out'),
  trunk('t'),
  service('ivr', 'menu'),
  reject(404),
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const plan = fc.constantFrom(undefined, 'default', 'b');
const time = fc.option(fc.constantFrom('day', 'weekend'), { nil: undefined, freq: 5 });

/** The time conditions that random rules name; all in UTC, so that a reference needs no time zones. */
export const TIMES: Readonly<Record<'day' | 'weekend', TimeCondition>> = {
  day: { start: '08:00', finish: '20:00', timeZone: 'UTC' },
  weekend: { weekdays: ['sat', 'sun'], timeZone: 'UTC' },
};

/** A rule that decides, or one that leads on. */
const called: fc.Arbitrary<CalledRule> = fc
  .record({ plan, prefix, route, transform: maybe(transforms()), level: maybe(fc.constantFrom('a', 'b')), time })
  .chain((rule) =>
    fc.boolean().map((leadsOn) => {
      const { route: unused, ...rest } = rule;
      return compact(
        leadsOn && rule.transform !== undefined ? { ...rest, reanalyse: true } : { ...rest, route: unused },
      );
    }),
  );

const caller: fc.Arbitrary<CallerRule> = fc
  .record({ plan, prefix, use: fc.constantFrom(undefined, 'default', 'b'), transform: maybe(transforms()), time })
  .map(compact);

const timedKey = ({ plan: name = 'default', prefix: begin, time: id = '' }: CalledRule | CallerRule) =>
  `${name} ${begin} ${id}`;

/** Rules without a fault. Plan `b` always has one. */
export const planRules = (): fc.Arbitrary<DialPlanRules> =>
  fc.record({
    outPrefix: fc.constantFrom('9', '12', ''),
    times: fc.constant(TIMES),
    codes: fc.subarray([
      { code: '*1*number', service: 'pickup' },
      { code: '*1', service: 'join' },
      { code: '*2*a*b', service: 'conference', name: 'c' },
    ]),
    blackList: fc.uniqueArray(
      fc.record({
        caller: fc.oneof(prefix, fc.constant('anonymous')),
        called: prefix,
        rate: fc.constantFrom(0, 40, 100),
      }),
      { selector: (rule) => `${rule.caller} ${rule.called}`, maxLength: 3 },
    ),
    caller: fc.uniqueArray(caller, { selector: timedKey, maxLength: 3 }),
    called: fc
      .uniqueArray(called, { selector: timedKey, maxLength: 8 })
      .map((rules) => [...rules, { plan: 'b', prefix: '1291291291', route: extension() }]),
  });

/** A call that may come in under these rules. */
export const calls = (): fc.Arbitrary<PlanCall> =>
  fc
    .record({
      caller: fc.oneof(numbers(), fc.constant('anonymous')),
      called: numbers(),
      at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      plan: fc.constantFrom(undefined, 'default', 'b'),
      levels: fc.subarray(['a', 'b']),
      anonymous: fc.boolean(),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    })
    .map(compact);

/** Without fields that are undefined. */
function compact<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
