/**
 * Runs one of the examples: `npm run example -- NAME [its arguments]`, or `--help` for what it says of itself. In this very process,
 * so that signals and the exit code are the example's own; `exec` in package.json is there for the same, for npm's shell would keep a
 * signal to itself. `pbxkit` in an example means src/ here (the paths in tsconfig.json) and the package elsewhere.
 *
 * What an example takes stands in its head (`npm run example -- NAME [SEED]`) and is looked at here, so that each need not do it.
 */
import './ensure-installed.mjs';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The words that stand for arguments in the heads of examples. */
const ARGUMENTS = {
  SEED: { expected: 'a whole number', fits: (text) => /^\d{1,15}$/.test(text) },
  'FILE.wav': { expected: 'a file that exists', fits: (text) => entry(text)?.isFile() === true },
  FOLDER: { expected: 'a folder that exists', fits: (text) => entry(text)?.isDirectory() === true },
};

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...args] = process.argv.slice(2);
const names = readdirSync(join(root, 'examples')).filter((folder) => existsSync(mainOf(folder)));

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run example -- NAME, where NAME is one of: ${names.join(', ')}`);
  process.exitCode = 2;
} else if (usageOf(name) === undefined) {
  await run(name, args);
} else if (args.includes('--help')) {
  console.log(headOf(name));
} else {
  const fault = faultOf(usageOf(name), args);
  if (fault === undefined) await run(name, args);
  else {
    console.error(`${name}: ${fault} (npm run example -- ${name} --help)`);
    process.exitCode = 1;
  }
}

async function run(name, args) {
  process.env['TSX_TSCONFIG_PATH'] = join(root, 'tsconfig.json');
  const { register } = await import('tsx/esm/api');
  register();
  process.argv = [process.execPath, mainOf(name), ...args];
  try {
    await import(pathToFileURL(mainOf(name)).href);
  } catch (error) {
    // What has a code is told in words: a taken port, a file that is no WAV file. Anything else is a fault of the program.
    const told = error?.code === undefined ? error : `${error.name} [${error.code}] ${error.message}`;
    console.error(`examples/${name}/main.ts:`, told);
    process.exit(1);
  }
}

/** What is wrong with the arguments. */
function faultOf(usage, args) {
  for (const [i, found] of args.entries()) {
    const expected = ARGUMENTS[usage[i]]?.expected ?? (i === 0 ? 'nothing' : 'nothing more');
    if (!ARGUMENTS[usage[i]]?.fits(found)) {
      return `found ${found}, expected ${expected}${usage[i] === undefined ? '' : ` (${usage[i]})`}`;
    }
  }
  return undefined;
}

/** The words in brackets, in their order; undefined when the example reads its arguments by itself. */
function usageOf(name) {
  const call = headOf(name)
    .split('\n')
    .find((line) => line.includes(`npm run example -- ${name}`));
  return call === undefined ? undefined : [...call.matchAll(/\[([^\]]+)\]/g)].map(([, word]) => word);
}

/** The comment that its file begins with. */
function headOf(name) {
  const [, comment = ''] = /^\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(mainOf(name), 'utf8')) ?? [];
  return comment.replaceAll(/^ \* ?/gm, '');
}

function entry(path) {
  return statSync(path, { throwIfNoEntry: false });
}

function mainOf(folder) {
  return join(root, 'examples', folder, 'main.ts');
}
