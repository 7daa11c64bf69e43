import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../examples/small-office/config.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { nodesOf, parse, readProjectFile } from '../architecture/sources.js';
import { realAuthority } from '../support/certificates.js';
import { codeBlocks, readPage } from './pages.js';

const GUIDE = 'docs/guides/reference-server.md';
const guide = readPage(GUIDE);

/** The option names of an interface in src/pbx/options.ts, with a prefix. */
function optionsOf(name: string, prefix = ''): string[] {
  const text = readProjectFile('src/pbx/options.ts');
  for (const node of nodesOf(parse({ path: 'src/pbx/options.ts', text })))
    if (ts.isInterfaceDeclaration(node) && node.name.text === name)
      return node.members.flatMap((member) => (member.name === undefined ? [] : [`${prefix}${member.name.getText()}`]));
  throw new Error(`there is no interface ${name}`);
}

/** The names in the first column of the guide's tables. */
const rows = [...guide.text.matchAll(/^\| `([\w.[\]]+)` /gm)].map((match) => match[1] ?? '');
/** The options of `createPbx` that a file cannot hold: one paragraph lists them. */
const inCodeOnly = [...(/^Only in code: [\s\S]*?\n\n/m.exec(guide.text)?.[0] ?? '').matchAll(/`(\w+)`/g)].map(
  (match) => match[1] ?? '',
);

describe(GUIDE, () => {
  test('names every option of createPbx, in a table or among those for code', () => {
    const top = rows.filter((name) => !/[.[]/.test(name));
    const groups = ['registration', 'calls', 'limits', 'tls'];
    expect(inCodeOnly.length).toBeGreaterThan(8);
    expect([...new Set([...top, ...inCodeOnly, ...groups])].sort()).toEqual(optionsOf('PbxOptions').sort());
  });

  test.each([
    ['registration', 'RegistrationOptions'],
    ['calls', 'CallOptions'],
    ['limits', 'PbxLimits'],
    ['tls', 'TlsOptions'],
  ])('names every option of %s', (group, name) => {
    expect(rows.filter((row) => row.startsWith(`${group}.`)).sort()).toEqual(optionsOf(name, `${group}.`).sort());
  });

  const files = codeBlocks(guide).filter(({ language }) => language === 'json');

  test('has configuration files to try', () => {
    expect(files.length).toBeGreaterThan(1);
  });

  test.each(files.map(({ line, code }) => [line, code] as const))(
    'line %i: the server takes this file',
    async (_line, code) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'pbxkit-docs-'));
      try {
        const file = path.join(folder, 'office.json');
        const { cert, key } = await (await realAuthority()).issue({ names: ['office.example'] });
        writeFileSync(path.join(folder, 'cert.pem'), cert);
        writeFileSync(path.join(folder, 'key.pem'), key);
        writeFileSync(
          file,
          code.replaceAll(/"\.\/(cert|key)\.pem"/g, (_path, name) => `"${path.join(folder, `${name}.pem`)}"`),
        );
        await createPbx(await readConfig(['--config', file])).close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
