import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { LineFault } from '../../src/trunk/fault.js';
import {
  type RegisterAnswer,
  Registration,
  type RegistrationEffect,
  type RegistrationOptions,
} from '../../src/trunk/registration.js';

const machine = (options: Partial<RegistrationOptions> = {}): Registration =>
  new Registration({
    random: new SeededRandom(1),
    expiresSeconds: 3600,
    maxRefusals: 3,
    maxFailures: Number.POSITIVE_INFINITY,
    goodbyeMs: 2000,
    pace: (now) => now,
    ...options,
  });

const GRANTED: RegisterAnswer = { kind: 'granted', seconds: 3600, elsewhere: false };
const failed = (kind: LineFault['kind']): RegisterAnswer => ({ kind: 'failed', fault: { kind, text: kind } });
const types = (effects: readonly RegistrationEffect[]): string[] => effects.map(({ type }) => type);

describe('RFC 3261 §10.2 as a machine', () => {
  test('the first attempt waits for its pace', () => {
    const registration = machine({ pace: (now) => now + 700 });
    registration.start(0);
    expect(types(registration.onDeadline(0))).toEqual([]);
    expect(registration.nextDeadline).toBe(700);
    expect(registration.onDeadline(700)).toEqual([{ type: 'register', expiresSeconds: 3600 }]);
  });

  test('refusals count over network failures in between; a success clears them', () => {
    const registration = machine();
    registration.start(0);
    let now = 0;
    const attempt = (answer: RegisterAnswer): string[] => {
      for (let effects: string[] = []; !effects.includes('register'); ) {
        now = registration.nextDeadline ?? expect.fail('nothing is due');
        effects = types(registration.onDeadline(now));
      }
      return types(registration.onAnswer(answer, now));
    };
    expect(attempt(failed('refused'))).toEqual(['failed']);
    expect(attempt(failed('timeout'))).toEqual(['failed']);
    expect(attempt(failed('wrong-password'))).toEqual(['failed']);
    expect(attempt(GRANTED)).toEqual(['registered']);
    expect(attempt(failed('wrong-password'))).toEqual(['failed']);
    expect(attempt(failed('busy'))).toEqual(['failed']);
    expect(attempt(failed('stranger'))).toEqual(['failed']);
    expect(attempt(failed('refused'))).toEqual(['suspended']);
    expect([registration.state, registration.nextDeadline, registration.expiresAt]).toEqual([
      'suspended',
      undefined,
      undefined,
    ]);
  });

  test('a late answer after the goodbye changes nothing', () => {
    const registration = machine();
    registration.start(0);
    registration.onDeadline(0);
    expect(registration.close(10)).toEqual([]);
    expect(types(registration.onDeadline(2010))).toEqual(['closed']);
    expect(registration.onAnswer(GRANTED, 3000)).toEqual([]);
    expect([registration.state, registration.nextDeadline]).toEqual(['closed', undefined]);
  });

  test('hurry: at once, but not within half a minute of the last grant, and only where there is a registration', () => {
    const registration = machine();
    registration.hurry(0);
    registration.start(0);
    registration.onDeadline(0);
    registration.hurry(0);
    expect(registration.nextDeadline).toBeUndefined();
    registration.onAnswer(GRANTED, 1_000);
    registration.hurry(2_000);
    expect(registration.nextDeadline).toBe(31_000);
    expect(types(registration.onDeadline(31_000))).toEqual(['register']);
    registration.onAnswer(GRANTED, 31_000);
    registration.hurry(500_000);
    expect(types(registration.onDeadline(500_000))).toEqual(['register']);
    registration.onAnswer(GRANTED, 500_000);
    const due = registration.nextDeadline ?? 0;
    registration.hurry(due - 1 + 10_000);
    expect(registration.nextDeadline).toBe(due);
  });

  test('moved while a REGISTER is under way that reaches nobody: the next one goes at once; none but that', () => {
    const registration = machine();
    registration.start(0);
    registration.onDeadline(0);
    registration.moved(100);
    expect(registration.onAnswer(failed('unreachable'), 200)).toMatchObject([{ type: 'failed', retryInMs: 0 }]);
    expect(registration.nextDeadline).toBe(200);
    expect(types(registration.onDeadline(200))).toEqual(['register']);
    registration.onAnswer(failed('unreachable'), 300);
    expect(registration.nextDeadline).toBeGreaterThan(10_000);
    for (const answer of [failed('refused'), { ...failed('unreachable'), retryAfterSeconds: 60 } as RegisterAnswer]) {
      const other = machine();
      other.start(0);
      other.onDeadline(0);
      other.moved(100);
      other.onAnswer(answer, 200);
      expect(other.nextDeadline).toBeGreaterThan(10_000);
    }
  });

  test('suspended at the start: nothing until resume', () => {
    const registration = machine();
    registration.start(0, { kind: 'forbidden', status: 403, text: '403' });
    expect(registration.nextDeadline).toBeUndefined();
    expect(registration.resume(5)).toBe(true);
    expect(types(registration.onDeadline(5))).toEqual(['register']);
    expect(registration.resume(6)).toBe(false);
  });
});

const faults: readonly LineFault['kind'][] = [
  'wrong-password',
  'stranger',
  'refused',
  'busy',
  'timeout',
  'unreachable',
];
const anyAnswer: fc.Arbitrary<RegisterAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant('granted' as const),
    seconds: fc.integer({ min: 0, max: 7200 }),
    elsewhere: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('too-brief' as const), minSeconds: fc.integer({ min: 0, max: 10_000 }) }),
  fc.constantFrom(...faults).map(failed),
);

describe('for any carrier', () => {
  test('one REGISTER at a time, never more than three for one attempt, and never a loop', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { minLength: 1, maxLength: 60 }), fc.integer(), (answers, seed) => {
        const registration = machine({ random: new SeededRandom(seed), maxRefusals: 5 });
        registration.start(0);
        let now = 0;
        let underWay = false;
        let bound = false;
        let inAttempt = 0;
        const take = (effects: readonly RegistrationEffect[]): void => {
          for (const effect of effects) {
            if (effect.type === 'register') {
              expect(underWay).toBe(false);
              underWay = true;
              expect(++inAttempt).toBeLessThanOrEqual(3);
            }
            if (effect.type === 'registered') {
              expect(bound).toBe(false);
              bound = true;
            }
            if (effect.type === 'unregistered') {
              expect(bound).toBe(true);
              bound = false;
            }
            if (effect.type === 'suspended') bound = false;
            if (effect.type === 'failed') expect(effect.retryInMs).toBeGreaterThanOrEqual(30_000);
          }
        };
        for (const answer of answers) {
          while (!underWay && registration.nextDeadline !== undefined) {
            const next = registration.nextDeadline;
            inAttempt = 0;
            now = next;
            take(registration.onDeadline(now));
          }
          if (!underWay) break;
          underWay = false;
          take(registration.onAnswer(answer, now));
          expect(registration.expiresAt !== undefined).toBe(bound);
        }
        const before = underWay;
        inAttempt = 0;
        take(registration.close(now));
        if (before) {
          underWay = false;
          inAttempt = 0;
          take(registration.onAnswer(GRANTED, now));
        }
        if (registration.nextDeadline !== undefined) {
          underWay = false;
          take(registration.onAnswer(GRANTED, now));
        }
        expect([registration.state, registration.nextDeadline]).toEqual(['closed', undefined]);
      }),
      { numRuns: 1000 },
    );
  });

  test('a line that is refused each time makes exactly its attempts; one that hears nothing never stops', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.boolean(), fc.integer(), (limit, refused, seed) => {
        const registration = machine({ random: new SeededRandom(seed), maxRefusals: limit });
        registration.start(0);
        let attempts = 0;
        for (let now = registration.nextDeadline; now !== undefined && attempts < 50; now = registration.nextDeadline) {
          registration.onDeadline(now);
          attempts++;
          registration.onAnswer(failed(refused ? 'wrong-password' : 'timeout'), now);
        }
        expect(attempts).toBe(refused ? limit : 50);
      }),
    );
  });
});
