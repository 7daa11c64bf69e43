/**
 * Installs the dependencies when they are missing or older than package-lock.json, so that `npm start` and `npm test` work in a
 * fresh clone: a script imports this before anything that is not part of Node.js. Safe when several start at once: one installs, the
 * others wait. Says nothing when there is nothing to do; otherwise what it says goes to stderr. A failure ends the process.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockFolder = join(tmpdir(), `pbxkit-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);

if (!isInstalled()) await installOnce();

/** npm keeps its own account of what it installed: every package that must be there is there in the locked version. */
function isInstalled() {
  const account = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(account)) return false;
  const installed = JSON.parse(readFileSync(account, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional === true && installed[path] === undefined),
  );
}

async function installOnce() {
  while (!takeLock()) {
    await sleep(200);
    if (isInstalled() && !existsSync(lockFolder)) return;
  }
  try {
    if (!isInstalled()) install();
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

function takeLock() {
  try {
    mkdirSync(lockFolder);
    writeFileSync(join(lockFolder, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (ownerIsGone()) rmSync(lockFolder, { recursive: true, force: true });
    return false;
  }
}

function ownerIsGone() {
  try {
    const pid = Number(readFileSync(join(lockFolder, 'pid'), 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return pid === 0 && ageMs(lockFolder) > 10_000;
  } catch (error) {
    // No such process; or no such file: it died before it wrote one, or is about to write it, or has just finished.
    return error.code === 'ESRCH' || (error.code === 'ENOENT' && existsSync(lockFolder) && ageMs(lockFolder) > 10_000);
  }
}

function ageMs(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function install() {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error('node_modules is a link, and installing would empty the folder that it points to: install there');
  }
  process.stderr.write('pbxkit: installing dependencies (npm ci), once, about a minute ...\n');
  const npm = process.env['npm_execpath'];
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stdout, stderr, error } =
    npm === undefined
      ? spawnSync('npm', options, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [npm, ...options], { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}\npbxkit: npm ci failed${error ? `: ${error.message}` : ''}\n`);
  process.exit(status ?? 1);
}
