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

const SOURCES = [
  'src/pbx/options.ts',
  'src/directory/extension.ts',
  'src/trunk/line-options.ts',
  'src/trunk/trunk-options.ts',
  'src/trunk/carrier-options.ts',
  'src/trunk/call-options.ts',
  'src/trunk/identity-options.ts',
  'src/trunk/media-options.ts',
  'src/dialplan/rules.ts',
  'src/dialplan/feature-code.ts',
  'src/dialplan/time-condition.ts',
  'src/nat/options.ts',
];
const files = SOURCES.map((file) => parse({ path: file, text: readProjectFile(file) }));

function declared(name: string): ts.InterfaceDeclaration {
  for (const file of files)
    for (const node of nodesOf(file)) if (ts.isInterfaceDeclaration(node) && node.name.text === name) return node;
  throw new Error(`there is no interface ${name} in ${SOURCES.join(', ')}`);
}

/** The names of an interface's members and of those that it extends; `Omit<X, 'a'>` is understood. */
function membersOf(name: string): string[] {
  const { members, heritageClauses = [] } = declared(name);
  const own = members.flatMap((member) => (member.name === undefined ? [] : [member.name.getText()]));
  const inherited = heritageClauses.flatMap(({ types }) =>
    types.flatMap(({ expression, typeArguments = [] }) => {
      const [base, left] = typeArguments.map((each) => each.getText());
      if (expression.getText() !== 'Omit' || base === undefined) return membersOf(expression.getText());
      return membersOf(base).filter((each) => left !== `'${each}'`);
    }),
  );
  return [...own, ...inherited];
}

/** The same with a prefix. */
function optionsOf(name: string, prefix = ''): string[] {
  return membersOf(name).map((each) => `${prefix}${each}`);
}

/** The names in the first column of the guide's tables; a row may be about several. */
const rows = [...guide.text.matchAll(/^\| (`[^|]+`) \| /gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([\w.[\]]+)`/g)].map(([, name = '']) => name),
);
/** The options of `createPbx` that a file cannot hold: one paragraph lists them. */
const inCodeOnly = [...(/^Only in code: [\s\S]*?\n\n/m.exec(guide.text)?.[0] ?? '').matchAll(/`(\w+)`/g)].map(
  (match) => match[1] ?? '',
);

describe(GUIDE, () => {
  test('names every option of createPbx, in a table or among those for code', () => {
    const top = rows.filter((name) => !/[.[]/.test(name));
    const groups = ['registration', 'calls', 'limits', 'tls', 'outbound', 'notices', 'dialPlan', 'stun', 'media'];
    expect(inCodeOnly.length).toBeGreaterThan(8);
    expect([...new Set([...top, ...inCodeOnly, ...groups])].sort()).toEqual(optionsOf('PbxOptions').sort());
  });

  test.each([
    ['registration', 'RegistrationOptions'],
    ['calls', 'CallOptions'],
    ['limits', 'PbxLimits'],
    ['tls', 'TlsOptions'],
    ['extensions[]', 'ExtensionOptions'],
    ['lines[]', 'LineOptions'],
    ['trunks[]', 'TrunkOptions'],
    ['outbound', 'OutboundOptions'],
    ['externalAddress', 'ExternalAddressOptions'],
    ['stun', 'StunServerSettings'],
    ['media', 'MediaSettings'],
    ['notices', 'NoticeOptions'],
    ['dialPlan', 'DialPlanRules'],
    ['dialPlan.called[]', 'CalledRule'],
    ['dialPlan.caller[]', 'CallerRule'],
    ['dialPlan.refineCaller[]', 'RefineRule'],
    ['dialPlan.refineCalled[]', 'RefineRule'],
    ['dialPlan.blackList[]', 'BlackListRule'],
    ['dialPlan.codes[]', 'FeatureCode'],
    ['dialPlan.times.ID', 'TimeCondition'],
  ])('names every option of %s', (group, name) => {
    const told = rows.filter((row) => row.startsWith(`${group}.`) && !/[.[]/.test(row.slice(group.length + 1)));
    expect(told.sort()).toEqual(optionsOf(name, `${group}.`).sort());
  });

  const configurations = codeBlocks(guide).filter(({ language }) => language === 'json');

  test('has configuration files to try', () => {
    expect(configurations.length).toBeGreaterThan(1);
  });

  test.each(configurations.map(({ line, code }) => [line, code] as const))(
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
