/**
 * Runs every `*.bench` module of this folder (each exports `benchmarks`) and prints a table. `run.ts` bundles this and starts it.
 *
 *   npm run -s bench -- [--json] [--rounds=15] [--round-ms=40] [word of a name]
 *
 * `--json` prints one JSON object on stdout instead. A figure below its aim is told in the table, not by the exit code.
 */
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { type Benchmark, type Outcome, runBenchmark, warmUp } from './harness.js';

const flags = process.argv.slice(2);
const json = flags.includes('--json');
const wanted = flags.find((flag) => !flag.startsWith('--'));

function numberFlag(name: string): number | undefined {
  const text = flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
  return text === undefined ? undefined : Number(text);
}

async function load(): Promise<Benchmark[]> {
  const here = new URL('.', import.meta.url);
  const files = (await readdir(here)).filter((file) => file.endsWith('.bench.js')).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, here).href)));
  return modules.flatMap((module: { readonly benchmarks: readonly Benchmark[] }) => module.benchmarks);
}

function row(cells: readonly string[]): string {
  const widths = [34, 22, 12, 20, 8];
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' ');
}

function table(outcome: Outcome): string {
  return outcome.figures
    .map((figure, i) => {
      const ratio = outcome.ratios[i - 1];
      const faster =
        ratio === undefined ? '' : `${ratio.median.toFixed(2)}x (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
      const verdict =
        ratio === undefined || outcome.minimumRatio === undefined
          ? ''
          : ratio.median >= outcome.minimumRatio
            ? 'ok'
            : `below the aim of ${outcome.minimumRatio}x`;
      return row([i === 0 ? outcome.name : '', figure.name, `${Math.round(figure.medianNs)} ns`, faster, verdict]);
    })
    .join('\n');
}

const rounds = numberFlag('rounds');
const roundMs = numberFlag('round-ms');
const effort = { ...(rounds === undefined ? {} : { rounds }), ...(roundMs === undefined ? {} : { roundMs }) };
const outcomes: Outcome[] = [];
if (!json) console.log(row(['benchmark', 'who', 'CPU per op', 'pbxkit faster by', '']));
const benchmarks = (await load()).filter(({ name }) => wanted === undefined || name.includes(wanted));
warmUp(benchmarks, effort);
for (const benchmark of benchmarks) {
  const outcome = runBenchmark(benchmark, effort);
  outcomes.push(outcome);
  if (!json) console.log(table(outcome));
}
if (json) {
  console.log(JSON.stringify({ node: process.version, cpu: cpus()[0]?.model ?? 'unknown', outcomes }, undefined, 2));
}
