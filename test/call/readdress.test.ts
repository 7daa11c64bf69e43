import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import { Readdressing, type TellingCall } from '../../src/call/readdress.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const [A, B] = ['203.0.113.1', '203.0.113.2'];

/** A call that tells what the server's address was when it was last moved. */
class Teller implements TellingCall {
  readonly id = 'call';
  looks = 0;
  moves = 0;
  told: string;
  readonly #now: () => string;

  constructor(told: string, now: () => string) {
    this.told = told;
    this.#now = now;
  }

  tellsMediaAt(address: string): boolean {
    this.looks++;
    return this.told === address;
  }

  async moveMedia(_: unknown, isWanted: () => boolean): Promise<undefined> {
    await Promise.resolve();
    if (!isWanted()) return;
    this.moves++;
    this.told = this.#now();
  }
}

function setUp() {
  const clock = new ManualClock();
  const readdressing = new Readdressing({ scheduler: clock, logger: silentLogger });
  const server = { address: A };
  const call = (told = server.address): Teller => new Teller(told, () => server.address);
  const change = (calls: readonly Teller[], before: string, now: string): void => {
    server.address = now;
    readdressing.begin(calls, before, now);
  };
  return { clock, readdressing, server, call, change };
}

test('a thousand calls are not looked at in one go, and those that were told are moved ten a second', async () => {
  const { clock, call, change } = setUp();
  const calls = Array.from({ length: 1000 }, (_, i) => call(i % 10 === 0 ? A : '10.0.0.2'));
  const sum = (of: 'looks' | 'moves') => calls.reduce((total, each) => total + each[of], 0);
  change(calls, A, B);
  expect(sum('looks')).toBeLessThanOrEqual(50);
  await clock.advance(1000);
  expect(sum('moves')).toBeGreaterThanOrEqual(9);
  expect(sum('moves')).toBeLessThanOrEqual(11);
  await clock.advance(20_000);
  expect(sum('moves')).toBe(100);
  expect(calls.some(({ told }) => told === A)).toBe(false);
  expect(clock.pending).toBe(0);
});

test('a second change of the same address moves nobody twice', async () => {
  const { clock, call, change } = setUp();
  const calls = [call(), call()];
  change(calls, A, B);
  change(calls, A, B);
  await clock.advance(5000);
  expect(calls.map(({ moves }) => moves)).toEqual([1, 1]);
});

test('back at the old address before all were told: who still has it keeps it, and who was told is told again', async () => {
  const { clock, call, change } = setUp();
  const calls = [call(), call(), call()];
  change(calls, A, B);
  await clock.advance(50);
  change(calls, B, A);
  await clock.advance(5000);
  expect(calls.map(({ moves, told }) => [moves, told])).toEqual([
    [2, A],
    [0, A],
    [0, A],
  ]);
});

test('who agrees later on what was offered before is told then; after ten minutes nothing is kept in mind', async () => {
  const { clock, readdressing, call, change } = setUp();
  change([], A, B);
  const late = call(A);
  await clock.advance(60_000);
  readdressing.look(late);
  await clock.advance(1);
  expect(late.told).toBe(B);
  await clock.advance(600_000);
  const latest = call(A);
  readdressing.look(latest);
  await clock.advance(1);
  expect([latest.moves, latest.looks]).toEqual([0, 0]);
});
