import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/package/**', 'node_modules/**'],
    isolate: false,
    pool: 'threads',
  },
});
