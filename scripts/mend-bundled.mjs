/**
 * Runs before packing: makes the manifest of the bundled `stun` ask for the versions that travel with it (the `overrides` in
 * package.json). Without this a consumer's npm takes the bundled tree for broken and fetches the old, vulnerable packages beside
 * it: docs/decisions/0001-bundled-stun.md.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const { bundleDependencies, overrides } = read('../package.json');

for (const name of bundleDependencies) {
  const manifest = read(`../node_modules/${name}/package.json`);
  for (const [dependency, range] of Object.entries(overrides[name])) {
    if (manifest.dependencies[dependency] === undefined) throw new Error(`${name} no longer asks for ${dependency}`);
    manifest.dependencies[dependency] = range;
  }
  writeFileSync(
    new URL(`../node_modules/${name}/package.json`, import.meta.url),
    `${JSON.stringify(manifest, null, 2)}\n`,
  );
}

// What the bundled packages carry by mistake, and a consumer need not download.
for (const junk of ['binary-data/.jest-cache', 'stun/test']) {
  rmSync(new URL(`../node_modules/${junk}`, import.meta.url), { recursive: true, force: true });
}

function read(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}
