import { test } from 'vitest';
import { createWorld, type World, type WorldOptions } from '../../src/testing/world.js';

/** Long enough for every timer of a SIP transaction (64·T1) to run out, in virtual time. */
const TRANSACTIONS_END = { seconds: 40 };

/** A test in a world of its own; see `runScenario`. */
export function scenario(name: string, options: WorldOptions, body: (world: World) => Promise<void>): void {
  test(name, () => runScenario(options, body));
}

/**
 * Runs `body` in a fresh world, closes what was given to `world.use`, and checks that nothing is left: no timer, socket
 * or connection on any living machine. A failure carries the seed, the ladder and the warnings that were logged.
 */
export async function runScenario(options: WorldOptions, body: (world: World) => Promise<void>): Promise<void> {
  const world = createWorld(options);
  try {
    await body(world);
    await world.close();
    const leaks = world.leaks();
    if (leaks.length > 0) throw new Error(`left open at the end:\n  ${leaks.join('\n  ')}`);
    await world.advance(TRANSACTIONS_END);
  } catch (error) {
    throw withStory(error, world);
  }
}

function withStory(error: unknown, world: World): Error {
  const failure = error instanceof Error ? error : new Error(String(error));
  const log = world.log.format('warn').split('\n').slice(-20).join('\n');
  const story = [`seed ${world.seed}, virtual time ${(world.clock.now() / 1000).toFixed(3)} s`, world.ladder()];
  if (log !== '') story.push('log:', log);
  const before = failure.message;
  failure.message = `${before}\n\n${story.join('\n')}\n`;
  if (failure.stack !== undefined) failure.stack = failure.stack.replace(before, () => failure.message);
  return failure;
}
