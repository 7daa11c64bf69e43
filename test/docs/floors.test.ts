import { expect, test } from 'vitest';
import { EVERYTHING, FLOORS } from '../architecture/floors.js';
import { readProjectFile } from '../architecture/sources.js';
import { exists } from './pages.js';

/** The first two columns of the table of floors. */
const section = readProjectFile('docs/architecture.md')
  .split(/^## /m)
  .find((each) => each.startsWith('Floors'));
const told = [...(section ?? '').matchAll(/^\| `(\w+)` \| ([\w, ]+) \|/gm)].map(
  ([, folder = '', imports = '']) => [folder, imports.trim()] as const,
);

test('docs/architecture.md: the table is the law, as far as its folders exist', () => {
  const law = Object.entries(FLOORS)
    .filter(([folder]) => exists(`src/${folder}`))
    .map(([folder, allowed]) => {
      const imports = allowed === EVERYTHING ? EVERYTHING : allowed.filter((each) => exists(`src/${each}`)).join(', ');
      return [folder, imports === '' ? 'nothing' : imports] as const;
    });
  expect(told).toEqual(law);
});
