import { expect, test } from 'vitest';
import { runManyCalls } from './many-calls.js';

// `node --import tsx test/bench/relay/many-calls.ts` does the same with 100,000 calls, or as many as it is told.
test('2,000 calls with forks, cancels, refusals, re-offers, transfers and crashes of phones leave no port behind', async () => {
  const run = await runManyCalls(2_000, 'ports');
  expect(run.left).toEqual([]);
  expect(run.answered + run.cancelled + run.refused).toBe(2_000);
  for (const count of [run.answered, run.cancelled, run.refused, run.crashed]) expect(count).toBeGreaterThan(200);
  expect(run.relayed).toBeGreaterThan(1_000);
  expect(run.mostSockets).toBeGreaterThan(100);
});
