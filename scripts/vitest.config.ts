import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './totals-reporter.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = `${root}src/`;

/** In tests, as in the examples, `pbxkit` and its entries mean the sources: the same table as the paths in tsconfig.json. */
const alias = [
  { find: /^pbxkit$/, replacement: `${src}index.ts` },
  { find: /^pbxkit\/(sip|sdp|digest|audio|rtp|srtp|stun)$/, replacement: `${src}protocol/$1/index.ts` },
  { find: /^pbxkit\/(.+)$/, replacement: `${src}$1/index.ts` },
];

/**
 * One run, five projects, one group after another. Unit tests and scenarios share processes (`isolate: false`): they use no global
 * state. What starts other programs, or listens on known ports, runs one file at a time.
 */
export default defineConfig({
  root,
  test: {
    reporters: ['default', new TotalsReporter()],
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'house',
          root,
          include: ['test/architecture/**/*.test.ts'],
          // Whole-tree tools: about half a minute each alone, several on a machine that does other things.
          testTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'types',
          root,
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: 'scripts/tsconfig.types.json',
            ignoreSourceErrors: true,
          },
          sequence: { groupOrder: 2 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'unit',
          root,
          include: ['test/**/*.test.ts'],
          exclude: ['test/{architecture,bench,interop,package,types}/**'],
          setupFiles: ['test/seeded.ts'],
          isolate: false,
          pool: 'forks',
          // Only so that nothing hangs: no test waits for real time, but thousands of mutants take seconds on a loaded machine.
          testTimeout: 60_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'package',
          root,
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/packed.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'interop',
          root,
          include: ['test/interop/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
