import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Real programs on real sockets: one file after the other in one process. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/interop/**/*.test.ts'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
