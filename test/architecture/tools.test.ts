import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders = ['src', 'test', 'examples'].filter((folder) => existsSync(`${root}${folder}`));
/** By name: scripts/ holds biome's own configuration, which biome will not find twice. */
const scripts = readdirSync(`${root}scripts`).flatMap((name) => (/\.m?[jt]s$/.test(name) ? `scripts/${name}` : []));

/** Runs a tool of node_modules with this Node.js: its exit code, and what it said when that is not 0. */
function complaintsOf(script: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [`${root}node_modules/${script}`, ...args],
      { cwd: root, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve(error === null ? '' : `${stdout}${stderr}` || error.message),
    );
  });
}

test.concurrent('biome: format, lint and order of imports', async ({ expect }) => {
  const paths = [...folders, ...scripts, 'tsup.config.ts'];
  expect(
    await complaintsOf('@biomejs/biome/bin/biome', 'ci', '--colors=off', '--config-path=scripts/biome.json', ...paths),
  ).toBe('');
});

test.concurrent('typescript: the whole tree compiles under strict', async ({ expect }) => {
  expect(await complaintsOf('typescript/bin/tsc', '-p', '.')).toBe('');
});

test.concurrent('typescript-eslint: no promise without an owner', async ({ expect }) => {
  const args = ['--config', 'scripts/eslint.config.js', '--no-warn-ignored', '--max-warnings', '0'];
  expect(await complaintsOf('eslint/bin/eslint.js', ...args, ...folders, ...scripts)).toBe('');
});

test.concurrent('knip: no unused file, export or dependency', async ({ expect }) => {
  expect(await complaintsOf('knip/bin/knip.js', '--config', 'scripts/knip.ts', '--no-progress')).toBe('');
});

test.concurrent('package-lock.json names every optional package, so that npm ci works everywhere', async ({
  expect,
}) => {
  expect(await complaintsOf('../scripts/complete-lockfile.mjs', '--check')).toBe('');
});
