import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/** What the package tests work on: made once, before the first of them. */
export interface Packed {
  /** The tarball, as `npm pack` wrote it. */
  readonly tarball: string;
  /** A project outside the repository that has installed the tarball and nothing else. */
  readonly consumer: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    packed: Packed;
  }
}

/** The root of the repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Runs npm and gives its stdout. @throws with all that npm said. */
export function npm(cwd: string, ...args: string[]): string {
  // The variables that an outer `npm test` sets would point the inner npm at the repository.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local)/i.test(name)),
  );
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: 'pipe', shell: process.platform === 'win32' });
}

/** Installs without asking the registry again for what npm's cache holds. */
export function install(cwd: string, ...what: string[]): void {
  npm(cwd, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...what);
}

/** Packs the package (which builds it) and installs it in an empty project. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'pbxkit-packed-'));
  npm(repository, 'pack', '--pack-destination', folder, '--loglevel=error');
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack wrote no tarball');
  const consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }');
  install(consumer, join(folder, name));
  // The types of Node.js, which a consumer in TypeScript has; not installed, so that the tree stays the package's own.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(repository, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  project.provide('packed', { tarball: join(folder, name), consumer });
  return () => rmSync(folder, { recursive: true, force: true });
}
