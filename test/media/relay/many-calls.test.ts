import { expect, test } from 'vitest';
import { runManyCalls } from './many-calls.js';

// `node --import tsx test/bench/relay/many-calls.ts` does the same with 100,000 calls, or as many as it is told.
test('5,000 calls with forks, cancels, refusals, re-offers, transfers and crashes of phones leave no port behind', async () => {
  const run = await runManyCalls(5_000, 'ports');
  expect(run.left).toEqual([]);
  expect(run.answered + run.cancelled + run.refused).toBe(5_000);
  for (const count of [run.answered, run.cancelled, run.refused, run.crashed]) expect(count).toBeGreaterThan(500);
  expect(run.relayed).toBeGreaterThan(2_000);
  expect(run.mostPortsUsed).toBeGreaterThan(100);
});
