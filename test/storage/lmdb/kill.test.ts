import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LmdbRecords } from '../../../src/storage/lmdb/lmdb-records.js';
import { removeTempDirs, tempDir } from '../temp-dir.js';

removeTempDirs();

const root = fileURLToPath(new URL('../../..', import.meta.url));
const writer = fileURLToPath(new URL('./writer.ts', import.meta.url));

test('kill -9: every write that had resolved is there, and every batch is whole', { timeout: 30_000 }, async () => {
  const path = join(tempDir(), 'r.db');
  let expected = 0;
  for (const killAfter of [3, 40, 150]) {
    const acknowledged = await writeUntilKilled(path, killAfter);
    expected = Math.max(expected, acknowledged);
    const records = new LmdbRecords({ path });
    const pairs = await records.scan('pairs', { limit: 100_000 });
    const left = pairs.filter(({ id }) => id.startsWith('l')).map(({ id }) => id.slice(1));
    const right = pairs.filter(({ id }) => id.startsWith('r')).map(({ id }) => id.slice(1));
    expect(left).toEqual(right);
    expect(left.length).toBeGreaterThanOrEqual(expected);
    expect((await records.get('c', 'count'))?.value).toBe(left.length);
    expected = left.length;
    await records.close();
  }
});

/** Resolves to the highest number whose write the child reported as resolved before it was killed. */
async function writeUntilKilled(path: string, killAfter: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', writer, path], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let acknowledged = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (++lines === killAfter) child.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect(signal).toBe('SIGKILL');
  expect(lines).toBeGreaterThanOrEqual(killAfter);
  return acknowledged;
}
