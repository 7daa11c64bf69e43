import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** A directory that goes away after the test file. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'pbxkit-'));
  made.push(path);
  return path;
}

export function removeTempDirs(): void {
  afterAll(() => {
    for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
  });
}
