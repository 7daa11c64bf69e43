/**
 * `npm test [-- vitest filters]`: every check and test in one vitest run; in CI the unit tests and scenarios once more on the other
 * supported versions of Node.js. The last line is `N passed, N failed`, with `, N skipped` where there are any.
 *
 * PBXKIT_REQUIRE_INTEROP=1 makes anything skipped a failure (.ci/run sets it).
 */
import './ensure-installed.mjs';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pbxkit-test-'));
const filters = process.argv.slice(2);
const vitest = [
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--config',
  join(root, 'scripts/vitest.config.ts'),
];
const onCi = !['', '0', 'false', undefined].includes(process.env['CI']);
const otherVersions =
  onCi && filters.length === 0 ? ['20', '22', '24'].filter((v) => !process.version.startsWith(`v${v}.`)) : [];

const sums = [await run('this Node.js', process.execPath, [...vitest, ...filters])];
for (const version of otherVersions) {
  console.log(`\n== Node.js ${version}: unit tests and scenarios`);
  sums.push(await run(`Node.js ${version}`, 'npx', ['-y', `node@${version}`, ...vitest, '--project', 'unit']));
}
rmSync(folder, { recursive: true, force: true });

const total = (key) => sums.reduce((sum, part) => sum + part[key], 0);
const skipped = sums.flatMap((part) => part.skippedTests);
if (skipped.length > 0) {
  console.log(`\nNot run:\n${[...new Set(skipped)].map((name) => `  - ${name}`).join('\n')}`);
}
const failed = sums.flatMap((part) => part.failedTests.map((name) => `${part.what}: ${name}`));
if (failed.length > 0) console.log(`\nFailed:\n${failed.map((name) => `  - ${name}`).join('\n')}`);
const strict = process.env['PBXKIT_REQUIRE_INTEROP'] === '1' && skipped.length > 0;
if (strict) console.log('\nPBXKIT_REQUIRE_INTEROP is set: what was not run counts as a failure.');
if (strict || sums.some((part) => part.failed > 0 || part.exitCode !== 0)) process.exitCode = 1;
console.log(
  `\n${total('passed')} passed, ${total('failed')} failed${skipped.length > 0 ? `, ${total('skipped')} skipped` : ''}`,
);

/** A run that ends badly without a failed test (a crash, an error outside the tests) counts as one failure. */
async function run(what, command, args) {
  const file = join(folder, `${sumsFileName(what)}.json`);
  const exitCode = await exitOf(
    spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PBXKIT_TEST_SUMS: file } }),
  );
  if (existsSync(file)) {
    const sum = JSON.parse(readFileSync(file, 'utf8'));
    return { ...sum, what, failed: exitCode !== 0 && sum.failed === 0 ? 1 : sum.failed, exitCode };
  }
  console.log(`\n${what}: the test runner ended with ${exitCode} and gave no result`);
  const failedTests = [`the test runner ended with ${exitCode}`];
  return { what, passed: 0, failed: 1, skipped: 0, failedTests, skippedTests: [], exitCode: exitCode || 1 };
}

function sumsFileName(what) {
  return what.replaceAll(/\W+/g, '-');
}

function exitOf(child) {
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}
