/**
 * `npm run fuzz`: mutants from a seed against every parser, and against a running PBX and running media on the virtual network.
 *
 *   npm run fuzz -- [--runs 1000000] [--seed 1] [--target NAME] [--seconds 600]
 *                   [--only INDEX [--keep 3,17]] [--replay FILE]
 *
 * Without `--target` the runs are shared out among all. Input INDEX of a seed is always the same, so `--only INDEX` repeats
 * it; `--replay FILE` gives the bytes of a file to one target. A finding is made small, written to a file and printed with the
 * line that repeats it; the exit code is then 1. An input that never ends is told by a watchdog.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Finding, faultOf, fuzz, inputOf, smallest } from './fuzzer.js';
import { corporaPresent } from './input/corpora.js';
import { MediaEpisode } from './media/episode.js';
import { minimiseList } from './minimise.js';
import { Episode, type EpisodeResult } from './stack/episode.js';
import { TARGETS } from './targets/index.js';
import type { FuzzTarget } from './targets/target.js';
import { type Watchdog, watch } from './watchdog.js';

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
    replay: { type: 'string' },
  },
});

/** What runs, and is fuzzed as a whole. */
interface Running {
  readonly name: string;
  /** Of a million inputs so many thousand are for it. */
  readonly share: number;
  /** An episode stands for about as many inputs. */
  readonly inputs: number;
  readonly play: (seed: number, index: number, keep?: (number: number) => boolean) => Promise<EpisodeResult>;
}

const RUNNING: readonly Running[] = [
  { name: 'stack', share: 50, inputs: 30, play: (...which) => new Episode(...which).play() },
  { name: 'media', share: 30, inputs: 230, play: (...which) => new MediaEpisode(...which).play() },
];
/** A fault of the program shows in every other input: so many findings of a target are enough. */
const MOST_FINDINGS = 5;
const HANG_MS = 30_000;
/** Inputs between two looks at clock and heap. */
const SLICE = 2_000;
/** What the heap may grow after warming up: caches of compiled code, not inputs. */
const GROWTH_BYTES = 24 * 1024 * 1024;

const seed = Number(flags.seed);
const deadline =
  flags.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(flags.seconds) * 1000;
const running = RUNNING.filter(({ name }) => flags.target === undefined || name === flags.target);
const targets = TARGETS.filter(({ name }) => flags.target === undefined || name === flags.target);
if (targets.length === 0 && running.length === 0) {
  const names = [...TARGETS, ...RUNNING].map(({ name }) => name).join(', ');
  console.error(`--target: found ${flags.target}, expected one of ${names}`);
  process.exit(2);
}
if (!corporaPresent) console.log('the corpora are not here (PBXKIT_CORPORA): own seeds and words only');
process.on('unhandledRejection', (error) => {
  console.error('an unhandled rejection:', error);
  process.exit(1);
});
// The stack of an error that is expected costs more than all parsing.
const stackTraceLimit = Error.stackTraceLimit;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  // What finalizers and finished promises hold goes with the second collection.
  for (let i = 0; i < 2; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function replayLine(target: string, more: string): string {
  return `npm run fuzz -- --target ${target} ${more}`;
}

function report(finding: Finding): void {
  const file = join(mkdtempSync(join(tmpdir(), 'pbxkit-fuzz-')), `${finding.target}-${finding.index}.bin`);
  writeFileSync(file, finding.input);
  console.error(`\nFINDING ${finding.target}, seed ${finding.seed}, input ${finding.index}: ${finding.error.message}`);
  console.error(
    `  ${finding.input.length} bytes: ${JSON.stringify(Buffer.from(finding.input).toString('latin1')).slice(0, 600)}`,
  );
  console.error(finding.error.stack ?? '');
  console.error(`  ${replayLine(finding.target, `--seed ${finding.seed} --only ${finding.index}`)}`);
  console.error(`  ${replayLine(finding.target, `--replay ${file}`)}`);
  process.exitCode = 1;
}

/** One target over `runs` inputs. */
async function runTarget(target: FuzzTarget, runs: number): Promise<void> {
  const dog = watch(replayLine(target.name, `--seed ${seed}`), HANG_MS);
  const started = performance.now();
  let warm: number | undefined;
  let done = 0;
  let findings = 0;
  while (done < runs && performance.now() < deadline && findings < MOST_FINDINGS) {
    const end = Math.min(runs, done + SLICE);
    const finding = await fuzz(target, seed, done, end, dog.beat);
    if (finding !== undefined) {
      report(finding);
      findings++;
      done = finding.index + 1;
    } else done = end;
    if (warm === undefined && done >= Math.min(runs / 2, 5 * SLICE)) warm = await heapBytes();
  }
  await tell(target.name, done, 'inputs', started, warm);
  await dog.close();
}

async function runEpisodes(what: Running, episodes: number): Promise<void> {
  const dog = watch(replayLine(what.name, `--seed ${seed}`), HANG_MS);
  const started = performance.now();
  let warm: number | undefined;
  let inputs = 0;
  let index = 0;
  let findings = 0;
  Error.stackTraceLimit = 2;
  for (; index < episodes && performance.now() < deadline && findings < MOST_FINDINGS; index++) {
    dog.beat(index);
    const result = await what.play(seed, index);
    inputs += result.inputs;
    if (result.error !== undefined) {
      findings++;
      await reportEpisode(what, index, result.error, result.sent, dog);
    }
    if (warm === undefined && index >= Math.min(episodes / 2, 200)) warm = await heapBytes();
  }
  Error.stackTraceLimit = stackTraceLimit;
  await tell(what.name, inputs, `inputs in ${index} episodes`, started, warm);
  await dog.close();
}

async function reportEpisode(
  what: Running,
  index: number,
  error: Error,
  sent: readonly number[],
  dog: Watchdog,
): Promise<void> {
  const alike = async (kept: readonly number[]): Promise<boolean> => {
    dog.beat(index);
    const set = new Set(kept);
    const again = await what.play(seed, index, (number) => set.has(number));
    return again.error !== undefined && again.error.message.slice(0, 24) === error.message.slice(0, 24);
  };
  const kept = await minimiseList(sent, alike, 200);
  const set = new Set(kept);
  Error.stackTraceLimit = stackTraceLimit;
  const last = await what.play(seed, index, (number) => set.has(number));
  Error.stackTraceLimit = 2;
  console.error(`\nFINDING ${what.name}, seed ${seed}, episode ${index}: ${(last.error ?? error).message}`);
  console.error((last.error ?? error).stack ?? '');
  console.error(`  ${replayLine(what.name, `--seed ${seed} --only ${index} --keep ${kept.join(',')}`)}`);
  process.exitCode = 1;
}

async function tell(
  name: string,
  count: number,
  what: string,
  started: number,
  warm: number | undefined,
): Promise<void> {
  const seconds = (performance.now() - started) / 1000;
  const growth = warm === undefined ? 0 : (await heapBytes()) - warm;
  const rate = Math.round(count / seconds);
  console.log(
    `${name.padEnd(10)} ${String(count).padStart(8)} ${what}, ${seconds.toFixed(1)} s, ${rate}/s, heap ${(growth / 1024).toFixed(0)} KiB more`,
  );
  if (growth <= GROWTH_BYTES) return;
  console.error(`FINDING ${name}: the heap has grown by ${growth} bytes`);
  process.exitCode = 1;
}

/** One input again, or the bytes of a file. */
async function runOne(): Promise<void> {
  const index = Number(flags.only ?? 0);
  const [target] = targets;
  const [episodes] = running;
  if (target === undefined) {
    if (episodes === undefined) return;
    const kept = flags.keep === undefined ? undefined : new Set(flags.keep.split(',').map(Number));
    const result = await episodes.play(seed, index, (number) => kept?.has(number) ?? true);
    console.log(result.ladder());
    console.log(result.error === undefined ? 'no fault' : `FINDING ${result.error.stack}`);
    if (result.error !== undefined) process.exitCode = 1;
    return;
  }
  const dog = watch(replayLine(target.name, `--seed ${seed}`), HANG_MS);
  dog.beat(index);
  const input = flags.replay === undefined ? inputOf(target, seed, index) : readFileSync(flags.replay);
  const error = faultOf(target, input);
  if (error === undefined)
    console.log(`no fault: ${JSON.stringify(Buffer.from(input).toString('latin1')).slice(0, 2000)}`);
  else report({ target: target.name, seed, index, ...(await smallest(target, input, error, () => dog.beat(index))) });
  await dog.close();
}

if (flags.only !== undefined || flags.replay !== undefined) await runOne();
else {
  const runs = Number(flags.runs);
  for (const target of targets)
    await runTarget(target, flags.target === undefined ? Math.ceil((runs * target.share) / 1000) : runs);
  for (const what of running) {
    const inputs = flags.target === undefined ? (runs * what.share) / 1000 : runs;
    await runEpisodes(what, Math.ceil(inputs / what.inputs));
  }
}
