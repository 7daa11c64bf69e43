/**
 * Measures what a program gets from npm: bundles the benchmarks and pbxkit with the settings of the package, and runs them in plain
 * Node.js. A loader that translates the sources one by one, as the tests have it, costs parsing and printing about a tenth.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { build } from 'tsup';
import config from '../../tsup.config.js';

// Inside the repository, so that the peers are found.
const OUT_DIR = 'temp/bench-bundle';

process.chdir(new URL('../..', import.meta.url).pathname);
const benchmarks = (await readdir('test/bench')).filter((file) => file.endsWith('.bench.ts'));
await build({
  ...config,
  config: false,
  entry: ['test/bench/main.ts', ...benchmarks.map((file) => `test/bench/${file}`)],
  format: ['esm'],
  dts: false,
  onSuccess: async () => {},
  silent: true,
  outDir: OUT_DIR,
});
const child = spawn(process.execPath, [`${OUT_DIR}/main.js`, ...process.argv.slice(2)], { stdio: 'inherit' });
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
