import path from 'node:path';
import { build } from 'tsup';

/** Inside node_modules, so that what is not bundled is found, and nobody's clean-up takes it away in the midst of a run. */
export const BUNDLES = path.resolve('node_modules/.cache/pbxkit-bench');

/**
 * A program of this folder, or of one beside it, as the package is built: one file of JavaScript from the sources as they stand. What
 * runs from TypeScript directly is not the same program: its loader names every closure, which costs 250 bytes each.
 */
export async function bundle(name: string, folder: 'rates' | 'relay' | 'players' = 'rates'): Promise<string> {
  await build({
    config: false,
    entry: { [name]: `test/bench/${folder}/${name}.ts` },
    format: ['esm'],
    outDir: BUNDLES,
    outExtension: () => ({ js: '.mjs' }),
    target: 'node20',
    splitting: false,
    sourcemap: true,
    clean: false,
    silent: true,
  });
  return path.join(BUNDLES, `${name}.mjs`);
}
