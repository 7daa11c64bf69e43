import fc from 'fast-check';
import { DialPlan, deleteDigits, insertDigits } from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';
import { calls, numbers, planRules } from './arbitraries.js';
import { decideNaively, isLoop } from './naive.js';

/** The time conditions of the random rules, by the calendar of Date. */
function isOpenAt(at: number): (time: string) => boolean {
  const date = new Date(at);
  const weekend = [0, 6].includes(date.getUTCDay());
  return (time) => (time === 'weekend' ? weekend : date.getUTCHours() >= 8 && date.getUTCHours() < 20);
}

const RUNS = { numRuns: 500 };

describe('random plans and numbers', () => {
  test('decide the same as a naive reference', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(planRules(), fc.array(calls(), { minLength: 1, maxLength: 8 }), (rules, list) => {
        const plan = new DialPlan(rules);
        for (const call of list) {
          const decision = plan.decide(call);
          kinds.add(decision.kind === 'reject' ? `${decision.status}` : decision.kind);
          expect(decision).toEqual(decideNaively(rules, call, isOpenAt(call.at ?? 0)));
        }
      }),
      RUNS,
    );
    // The generator reaches every way that a call can go.
    expect([...kinds].sort()).toEqual(['403', '404', '482', '484', 'extension', 'group', 'line', 'service', 'trunk']);
  });

  test('explain ends in what decide returned', () => {
    fc.assert(
      fc.property(planRules(), calls(), (rules, call) => {
        const plan = new DialPlan(rules);
        const { steps, decision } = plan.explain(call);
        expect(decision).toEqual(plan.decide(call));
        expect(steps.at(-1)).toEqual({ kind: 'decided', decision });
        expect(steps.filter(({ kind }) => kind === 'decided')).toHaveLength(1);
      }),
      RUNS,
    );
  });

  test('each change that explain tells leads from the number before to the one after, up to those decided', () => {
    fc.assert(
      fc.property(planRules(), calls(), (rules, call) => {
        const { steps, decision } = new DialPlan(rules).explain(call);
        const last = { caller: call.caller, called: call.called };
        for (const step of steps) {
          if (step.kind === 'transformed') {
            expect(step.from).toBe(last[step.party]);
            last[step.party] = step.to;
          }
          if (step.kind === 'default') last.called = last.called.slice(step.outPrefix?.length ?? 0);
        }
        expect(last).toEqual({ caller: decision.caller, called: decision.called });
      }),
      RUNS,
    );
  });

  test('no input makes re-analysis endless: a decision comes after 65 rules at most', () => {
    fc.assert(
      fc.property(planRules(), calls(), (rules, call) => {
        const { steps } = new DialPlan(rules).explain(call);
        expect(steps.filter(({ kind }) => kind === 'called').length).toBeLessThanOrEqual(65);
      }),
      RUNS,
    );
  });

  test('where check tells of no loop, none comes', () => {
    let silent = 0;
    let loops = 0;
    fc.assert(
      fc.property(planRules(), fc.array(calls(), { minLength: 10, maxLength: 20 }), (rules, list) => {
        const plan = new DialPlan(rules);
        const told = plan.check().some(({ problem }) => problem.startsWith('analysing again may never end'));
        const come = list.some((call) => isLoop(plan.decide(call)));
        if (come) loops++;
        if (!told) silent++;
        expect(come && !told).toBe(false);
      }),
      RUNS,
    );
    expect(silent).toBeGreaterThan(RUNS.numRuns / 10);
    expect(loops).toBeGreaterThan(RUNS.numRuns / 50);
  });

  test('where check tells of a loop of two rules that hold at any time, a number finds it', () => {
    const swap = (from: string, to: string) => ({
      prefix: from,
      reanalyse: true,
      transform: { type: 'replace', start: 0, length: from.length, digits: to } as const,
    });
    fc.assert(
      fc.property(numbers(), numbers(), (a, b) => {
        fc.pre(a !== '' && b !== '' && a !== '*' && b !== '*' && !a.startsWith(b) && !b.startsWith(a));
        const plan = new DialPlan({ called: [swap(a, b), swap(b, a)] });
        expect(plan.check().map(({ rule }) => rule)).toHaveLength(1);
        expect(isLoop(plan.decide({ caller: '', called: a }))).toBe(true);
      }),
    );
  });
});

describe('re-analysis', () => {
  test('a number of 64 prefixes is peeled; a longer one is told to be a loop', () => {
    const plan = new DialPlan({ called: [{ prefix: '8', reanalyse: true, transform: deleteDigits({ length: 1 }) }] });
    expect(plan.decide({ caller: '', called: `${'8'.repeat(64)}1` })).toMatchObject({
      kind: 'extension',
      extension: '1',
    });
    expect(isLoop(plan.decide({ caller: '', called: `${'8'.repeat(65)}1` }))).toBe(true);
  });

  test('a number that only grows is told to be a loop', () => {
    const plan = new DialPlan({ called: [{ prefix: '*', reanalyse: true, transform: insertDigits({ digits: '1' }) }] });
    expect(plan.decide({ caller: '', called: '7' })).toMatchObject({
      kind: 'reject',
      status: 482,
      reason: 'Dial Plan Loop',
      rule: 'called[0]',
    });
  });
});
