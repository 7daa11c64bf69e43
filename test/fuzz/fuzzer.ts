import { SeededRandom } from '../../src/testing/seeded-random.js';
import { mutant } from './input/mutate.js';
import { minimise } from './minimise.js';
import type { FuzzTarget } from './targets/target.js';

/** An input that broke a promise. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** Which input of the seed. */
  readonly index: number;
  readonly error: Error;
  /** The smallest input found that fails in the same way. */
  readonly input: Uint8Array;
}

/** Longer than this for one input, milliseconds, and so much CPU each time when repeated: a finding. */
const SLOW_MS = 250;

/** Input number `index` of a seed: it does not depend on the others. */
export function inputOf(target: FuzzTarget, seed: number, index: number): Uint8Array {
  return mutant(target.material, new SeededRandom(`${seed}/${target.name}/${index}`));
}

/** What the target throws for this input, or that it takes too long; undefined if all is well. */
export function faultOf(target: FuzzTarget, input: Uint8Array, slowMs = SLOW_MS): Error | undefined {
  const started = performance.now();
  try {
    // A copy: a parser that writes into its input would change what is printed as finding.
    target.check(Uint8Array.from(input));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  if (performance.now() - started < slowMs) return undefined;
  const best = Math.min(...[1, 2, 3].map(() => timeOf(target, input)));
  return best < slowMs ? undefined : new Error(`too slow: ${best.toFixed(0)} ms for ${input.length} bytes`);
}

function timeOf(target: FuzzTarget, input: Uint8Array): number {
  const before = process.cpuUsage();
  target.check(Uint8Array.from(input));
  return process.cpuUsage(before).user / 1000;
}

/** Runs inputs `from` up to, but without, `to`; `onInput` is called before each. Stops at the first finding, made small. */
export async function fuzz(
  target: FuzzTarget,
  seed: number,
  from: number,
  to: number,
  onInput: (index: number) => void = () => {},
): Promise<Finding | undefined> {
  const found = firstFault(target, seed, from, to, onInput);
  if (found === undefined) return undefined;
  const input = inputOf(target, seed, found.index);
  return {
    target: target.name,
    seed,
    index: found.index,
    ...(await smallest(target, input, found.error, () => onInput(found.index))),
  };
}

function firstFault(
  target: FuzzTarget,
  seed: number,
  from: number,
  to: number,
  onInput: (index: number) => void,
): { readonly index: number; readonly error: Error } | undefined {
  const { stackTraceLimit } = Error;
  try {
    // The stack of an error that is expected costs more than all parsing.
    Error.stackTraceLimit = 0;
    for (let index = from; index < to; index++) {
      onInput(index);
      const error = faultOf(target, inputOf(target, seed, index));
      if (error !== undefined) return { index, error };
    }
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The smallest input found that fails as this one does. */
export async function smallest(
  target: FuzzTarget,
  input: Uint8Array,
  error: Error,
  onTry: () => void = () => {},
): Promise<{ readonly input: Uint8Array; readonly error: Error }> {
  const small = await minimise(input, (candidate) => {
    onTry();
    const fault = faultOf(target, candidate);
    return fault !== undefined && kindOf(fault) === kindOf(error);
  });
  return { input: small, error: faultOf(target, small) ?? error };
}

/** Faults of one kind have one name and begin with the same words. */
function kindOf(error: Error): string {
  return `${error.name} ${error.message.slice(0, 16)}`;
}
