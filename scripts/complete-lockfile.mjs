/**
 * Completes package-lock.json after dependencies were changed: `npm run lock`. With `--check` it only looks.
 *
 * A registry mirror that carries no binaries for other platforms answers 404 for them; npm then leaves these optional packages
 * out of the lockfile, and `npm ci` refuses such a lockfile everywhere. This adds the missing entries: an exact version and the
 * platform that the name tells, without an integrity value, which only a registry that has the package can give.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

const file = new URL('../package-lock.json', import.meta.url);
const lockfile = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingOptionalPackages(lockfile);

if (missing.size === 0) {
  console.log('package-lock.json is complete');
} else if (process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${[...missing.keys()].join(', ')}: run \`npm run lock\``);
  process.exitCode = 1;
} else {
  for (const [place, wanted] of missing) lockfile.packages[place] = entryFor(wanted);
  const [root, ...others] = Object.entries(lockfile.packages);
  others.sort(([a], [b]) => a.localeCompare(b, 'en'));
  lockfile.packages = Object.fromEntries([root, ...others]);
  writeFileSync(file, `${JSON.stringify(lockfile, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.size} entries added`);
}

/** The lockfile's entries for optional packages that are named by a package in it but have none of their own. */
function missingOptionalPackages(lockfile) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isInstalledFor(lockfile.packages, path, name)) continue;
      if (!/^\d+\.\d+\.\d+[-+.\w]*$/.test(version))
        throw new Error(`${path} asks for ${name}@${version}: not an exact version`);
      missing.set(placeFor(lockfile.packages, name, version, path), { name, version });
    }
  }
  return missing;
}

/** Node's own rule: the nearest node_modules on the way up from `path`. */
function isInstalledFor(packages, path, name) {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('node_modules')).replace(/\/$/, '')) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

function placeFor(packages, name, version, path) {
  const top = `node_modules/${name}`;
  const askers = Object.values(packages).map((entry) => entry.optionalDependencies?.[name]);
  const oneVersion = askers.every((asked) => asked === undefined || asked === version);
  return oneVersion ? top : `${path}/${top}`;
}

/** What npm would have written, as far as the name tells. */
function entryFor({ name, version }) {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => OS.includes(word));
  const cpu = words
    .map((word) => (word.startsWith('arm') && word !== 'arm64' ? 'arm' : word))
    .filter((word) => CPU.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.includes('gnu') && os.includes('linux')
      ? ['glibc']
      : [];
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    dev: true,
    ...(libc.length > 0 && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}
