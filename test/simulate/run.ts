/**
 * Simulated offices, one for each seed: `npm run simulate -- --seeds 1..1000`, or `--seed 42 --trace` for one of them and
 * its ladder. Ends with 1 when an invariant was broken; each failing seed prints the command that replays it.
 */
import { type SimulationResult, simulate } from './simulation.js';

const flags = process.argv.slice(2);

function flagValue(name: string): string | undefined {
  const index = flags.findIndex((flag) => flag === `--${name}` || flag.startsWith(`--${name}=`));
  const flag = flags[index];
  return flag?.includes('=') === true ? flag.slice(flag.indexOf('=') + 1) : index < 0 ? undefined : flags[index + 1];
}

function seeds(): readonly number[] {
  const one = flagValue('seed');
  if (one !== undefined) return [Number(one)];
  const [from = 1, to = 1000] = (flagValue('seeds') ?? '1..1000').split('..').map(Number);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

const all = seeds();
if (all.length === 0 || all.some((seed) => !Number.isInteger(seed))) {
  console.error('usage: npm run simulate -- [--seeds FROM..TO | --seed N] [--trace]');
  process.exit(2);
}
const trace = flags.includes('--trace');
const begin = performance.now();
const sums = { calls: 0, answered: 0, failed: [] as number[] };
for (const seed of all) {
  const result = await simulate(seed);
  sums.calls += result.calls;
  sums.answered += result.answered;
  if (result.faults.length > 0) {
    sums.failed.push(seed);
    report(result);
  }
  if (trace) console.log(`${describe(result)}\n${result.world.ladder()}\n${result.world.log.format('info')}`);
}
const seconds = ((performance.now() - begin) / 1000).toFixed(1);
const failed = sums.failed.length === 0 ? 'none failed' : `FAILED: ${sums.failed.join(' ')}`;
console.log(`${all.length} seeds, ${sums.calls} calls, ${sums.answered} answered, ${seconds} s: ${failed}`);
process.exitCode = sums.failed.length === 0 ? 0 : 1;

function report({ seed, faults }: SimulationResult): void {
  console.log(`seed ${seed}: ${faults.length} fault(s); replay with: npm run simulate -- --seed ${seed} --trace`);
  for (const fault of faults.slice(0, 12)) console.log(`  ${fault}`);
}

function describe({ plan, acts }: SimulationResult): string {
  const { phones, ...rest } = plan;
  const people = phones.map(
    ({ name, transport, place, edge }) =>
      `${name} ${transport} ${place.kind === 'nat' ? place.nat : place.kind}${edge ? ' edge' : ''}`,
  );
  return `${JSON.stringify(rest)}\n${people.join(', ')}\n${JSON.stringify(Object.fromEntries(acts))}`;
}
