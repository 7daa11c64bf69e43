import { describe, expect, test } from 'vitest';
import { faultOf, fuzz, inputOf } from './fuzzer.js';
import { minimise } from './minimise.js';
import { TARGETS } from './targets/index.js';
import { Broken, type FuzzTarget } from './targets/target.js';

/** Fixed, so that a failure is the program's. `npm run fuzz` takes others. */
const SEED = 20_261_122;
/** Inputs in all, and of each target at least. */
const INPUTS = 10_000;
const LEAST = 1_000;

describe('whatever is given to a parser, it reads it or refuses it cleanly (a million inputs: npm run fuzz)', () => {
  const shares = TARGETS.reduce((sum, { share }) => sum + share, 0);
  test.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s',
    async (_name, target) => {
      const count = Math.max(LEAST, Math.ceil((INPUTS * target.share) / shares));
      const finding = await fuzz(target, SEED, 0, count);
      const told = finding && {
        repeat: `npm run fuzz -- --target ${finding.target} --seed ${finding.seed} --only ${finding.index}`,
        error: finding.error.message,
        input: Buffer.from(finding.input).toString('latin1'),
      };
      expect(told).toBeUndefined();
    },
    60_000,
  );
});

describe('the fuzzer itself', () => {
  const [message] = TARGETS as readonly [FuzzTarget, ...FuzzTarget[]];

  test('an input depends on seed, target and number only', () => {
    expect(inputOf(message, 1, 77)).toEqual(inputOf(message, 1, 77));
    expect(inputOf(message, 1, 77)).not.toEqual(inputOf(message, 2, 77));
    expect(inputOf(message, 1, 77)).not.toEqual(inputOf({ ...message, name: 'other' }, 1, 77));
  });

  test('a broken promise is found, made small, and the number repeats it', async () => {
    const check = (input: Uint8Array): void => {
      if (Buffer.from(input).includes(';;')) throw new Broken('two semicolons');
    };
    const target: FuzzTarget = { ...message, check };
    const finding = await fuzz(target, 1, 0, 3_000);
    expect(Buffer.from(finding?.input ?? []).toString()).toBe(';;');
    expect(() => check(inputOf(target, 1, finding?.index ?? 0))).toThrow(Broken);
  });

  test('what takes too long is a finding', () => {
    const check = (): void => {
      // By both clocks: CPU time counts other threads too, and a loaded machine gives less of it than time passes.
      const [before, started] = [process.cpuUsage(), performance.now()];
      while (process.cpuUsage(before).user < 60_000 || performance.now() - started < 60);
    };
    expect(faultOf({ ...message, check }, Buffer.from('x'), 20)?.message).toMatch(/^too slow/);
  });

  test('minimise leaves out whatever is not needed', async () => {
    const small = await minimise(Buffer.from('abcdefghijklmnop'), (bytes) => {
      const text = Buffer.from(bytes).toString();
      return text.includes('c') && text.includes('n');
    });
    expect(Buffer.from(small).toString()).toBe('cn');
  });
});
