import type { KnipConfig } from 'knip';

/** No file, dependency or value export that nobody uses. Types may stand for themselves: they document. */
const config: KnipConfig = {
  entry: [
    'src/**/index.ts',
    'scripts/*.{js,mjs,ts}',
    'examples/*/main.ts',
    'test/bench/{run,main,*.bench}.ts',
    'test/bench/players/{main,players}.ts',
    'test/bench/rates/{main,soak,in-process,held,server,npm-sip-proxy}.ts',
    'test/bench/relay/{many-calls,pbxkit-relay,plain-relay}.ts',
    'test/{fuzz,simulate}/run.ts',
    'test/fuzz/watchdog.ts',
    'test/types/**/*.ts',
  ],
  project: ['{src,test,examples,scripts}/**/*.{ts,mjs,js}'],
  vitest: {
    config: ['scripts/vitest.config.ts'],
    entry: ['test/**/*.test.ts', 'test/package/packed.ts'],
  },
  include: ['files', 'dependencies', 'unlisted', 'unresolved', 'exports'],
  ignoreExportsUsedInFile: true,
  ignoreDependencies: [
    // The design card fixes these runtime dependencies; the code that needs them (IVR documents) comes later.
    'fast-xml-parser',
    // Run by path in test/package.
    '@arethetypeswrong/cli',
    'publint',
  ],
};

export default config;
