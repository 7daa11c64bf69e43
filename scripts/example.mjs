/**
 * Runs one of the examples: `npm run example -- NAME [its arguments]`. In this very process, so that signals and the exit code are
 * the example's own; `exec` in package.json is there for the same, for npm's shell would keep a signal to itself. `pbxkit` in an
 * example means src/ here (the paths in tsconfig.json) and the package elsewhere.
 */
import './ensure-installed.mjs';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...args] = process.argv.slice(2);
const names = readdirSync(join(root, 'examples')).filter((folder) => existsSync(mainOf(folder)));

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run example -- NAME, where NAME is one of: ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  process.env['TSX_TSCONFIG_PATH'] = join(root, 'tsconfig.json');
  const { register } = await import('tsx/esm/api');
  register();
  process.argv = [process.execPath, mainOf(name), ...args];
  await import(pathToFileURL(mainOf(name)).href);
}

function mainOf(folder) {
  return join(root, 'examples', folder, 'main.ts');
}
