import { runManyCalls } from '../../media/relay/many-calls.js';

// node --import tsx test/bench/relay/many-calls.ts [CALLS] [SEED]: what the unit test does with 5,000 calls. Exit code 1 if anything is left.
const calls = Number(process.argv[2] ?? 100_000);
const seed = process.argv[3] ?? 'ports';
const before = process.cpuUsage();
const run = await runManyCalls(calls, seed);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ seed, ...run, cpuSeconds: Number(((user + system) / 1e6).toFixed(1)) }, undefined, 2));
process.exitCode = run.left.length === 0 ? 0 : 1;
