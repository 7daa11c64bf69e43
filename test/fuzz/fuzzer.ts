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

/** Longer than this for one input, milliseconds, and again when repeated: a finding. */
const SLOW_MS = 250;

/** Input number `index` of a seed: it does not depend on the others. */
export function inputOf(target: FuzzTarget, seed: number, index: number): Uint8Array {
  return mutant(target.material, new SeededRandom(`${seed}/${target.name}/${index}`));
}

/** What the target throws for this input, or that it takes too long; undefined if all is well. */
export function faultOf(target: FuzzTarget, input: Uint8Array): Error | undefined {
  const started = performance.now();
  try {
    // A copy: a parser that writes into its input would change what is printed as finding.
    target.check(Uint8Array.from(input));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  if (performance.now() - started < SLOW_MS) return undefined;
  const best = Math.min(...[1, 2, 3].map(() => timeOf(target, input)));
  return best < SLOW_MS ? undefined : new Error(`too slow: ${best.toFixed(0)} ms for ${input.length} bytes`);
}

function timeOf(target: FuzzTarget, input: Uint8Array): number {
  const started = performance.now();
  target.check(Uint8Array.from(input));
  return performance.now() - started;
}

/** Runs inputs `from` up to, but without, `to`; `onInput` is called before each. Stops at the first finding, made small. */
export function fuzz(
  target: FuzzTarget,
  seed: number,
  from: number,
  to: number,
  onInput: (index: number) => void = () => {},
): Finding | undefined {
  for (let index = from; index < to; index++) {
    onInput(index);
    const input = inputOf(target, seed, index);
    const error = faultOf(target, input);
    if (error === undefined) continue;
    const alike = (candidate: Uint8Array): boolean => {
      const fault = faultOf(target, candidate);
      return fault !== undefined && kindOf(fault) === kindOf(error);
    };
    const small = minimise(input, alike);
    return { target: target.name, seed, index, error: faultOf(target, small) ?? error, input: small };
  }
  return undefined;
}

/** Faults of one kind have one name and begin with the same words. */
function kindOf(error: Error): string {
  return `${error.name} ${error.message.slice(0, 16)}`;
}
