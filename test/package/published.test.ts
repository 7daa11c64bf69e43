import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { repository } from './packed.js';

const { tarball } = inject('packed');

/** Runs a tool of node_modules: its exit code and all that it said. */
function run(script: string, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'node_modules', script), ...args],
      { env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, said: `${stdout}${stderr}` }),
    );
  });
}

test('the tarball holds the built package, its licences and the bundled stun, and nothing else', () => {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const tops = new Set(files.map((file) => file.replace(/^package\//, '').replace(/\/.*/, '/')));
  expect([...tops].sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/', 'node_modules/', 'package.json']);
  expect(files).toContain('package/dist/THIRD-PARTY-LICENSES.txt');
  expect(files.filter((file) => file.startsWith('package/node_modules/pbxkit'))).toEqual([]);
});

test('publint: the manifest and the files fit each other', async () => {
  const { code, said } = await run('publint/src/cli.js', tarball, '--strict');
  expect(code, said).toBe(0);
  expect(said).toContain('All good');
});

test('attw: types resolve for every entry, from ESM, from CommonJS and with a bundler', async () => {
  const { code, said } = await run('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'node16', '--no-emoji');
  expect(code, said).toBe(0);
});
