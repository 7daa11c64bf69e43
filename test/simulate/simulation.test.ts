/** A few hundred offices, each drawn from its seed: whatever happens in them, the invariants hold. `npm run simulate` has more. */
import { afterAll, describe, expect, test } from 'vitest';
import { type SimulationResult, simulate } from './simulation.js';

const SEEDS = 120;

/** What all seeds did, so that a run in which nothing ever connects does not pass for a good one. */
const met = { calls: 0, answered: 0, acts: new Map<string, number>() };

/** The one command that replays it, and the ladder. */
function story({ seed, faults, world }: SimulationResult): string {
  if (faults.length === 0) return '';
  const command = `npm run simulate -- --seed ${seed} --trace`;
  return [`replay with: ${command}`, ...faults, world.ladder(), world.log.format('warn')].join('\n');
}

describe('every call ends once, nothing is left, and no rule of the wire is broken', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed}`, async () => {
      const result = await simulate(seed);
      met.calls += result.calls;
      met.answered += result.answered;
      for (const [act, count] of result.acts) met.acts.set(act, (met.acts.get(act) ?? 0) + count);
      expect(story(result)).toBe('');
    });
  }
});

describe('the same seed gives the same trace', () => {
  test.each([3, 5, 8])('seed %i', async (seed) => {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect(second.world.trace.count).toBe(first.world.trace.count);
    expect(second.world.trace.toString() === first.world.trace.toString()).toBe(true);
  });
});

afterAll(() => {
  expect(met.calls).toBeGreaterThan(10 * SEEDS);
  expect(met.answered).toBeGreaterThan(3 * SEEDS);
  for (const act of ['modify both', 'hang up both', 'restart', 'crash a phone', 'cut off', 'end call', 'transfer'])
    expect([act, (met.acts.get(act) ?? 0) > 0]).toEqual([act, true]);
});
