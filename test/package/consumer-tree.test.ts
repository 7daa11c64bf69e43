import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { install, npm } from './packed.js';

/** Versions with known vulnerabilities that `stun` 2.1.0 asks for: docs/decisions/0001-bundled-stun.md. */
const VULNERABLE = ['parse-url@5', 'parse-path@4', 'ip@1', 'trim-newlines@2', 'yargs-parser@10'];

interface Listed {
  readonly name?: string;
  readonly version?: string;
  readonly problems?: readonly string[];
  readonly dependencies?: Readonly<Record<string, Listed>>;
}

/** `npm ls --all`, which fails when anything in the tree is invalid, missing or extraneous: every package as name@version. */
function treeOf(project: string): string[] {
  const flatten = (listed: Listed): string[] =>
    Object.entries(listed.dependencies ?? {}).flatMap(([name, child]) => [
      ...(child.version === undefined ? [] : [`${name}@${child.version}`]),
      ...flatten(child),
    ]);
  return flatten(JSON.parse(npm(project, 'ls', '--all', '--json')) as Listed);
}

function expectSoundTree(project: string): void {
  const tree = treeOf(project);
  expect(tree).toContain('stun@2.1.0');
  expect(tree.filter((entry) => VULNERABLE.some((bad) => entry.startsWith(`${bad}.`)))).toEqual([]);
}

describe('the tree of a consumer (docs/decisions/0001-bundled-stun.md)', () => {
  const { consumer } = inject('packed');
  const project = join(dirname(consumer), 'tree');

  test('after npm install it holds none of the vulnerable versions and nothing invalid', () => {
    expectSoundTree(consumer);
  });

  test('after another package is added, after npm ci, update and dedupe it is the same', () => {
    cpSync(consumer, project, { recursive: true });
    install(project, 'is-number');
    expectSoundTree(project);
    rmSync(join(project, 'node_modules'), { recursive: true });
    npm(project, 'ci', '--prefer-offline', '--no-audit');
    expectSoundTree(project);
    npm(project, 'update', '--prefer-offline', '--no-audit');
    npm(project, 'dedupe', '--prefer-offline', '--no-audit');
    expectSoundTree(project);
  });

  test('the bundled stun loads, and its codec works', () => {
    const folder = join(consumer, 'node_modules/pbxkit/node_modules/stun');
    expect(existsSync(folder)).toBe(true);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies).toMatchObject({ ip: 'npm:neoip@^3.1.0', meow: '^13.2.0', 'parse-url': '^9.2.0' });
    const script = `const stun = require(${JSON.stringify(folder)});
      const message = stun.createMessage(stun.constants.STUN_BINDING_RESPONSE);
      message.addXorAddress('2001:db8::1', 3478);
      console.log(JSON.stringify(stun.decode(stun.encode(message)).getXorAddress()));`;
    expect(JSON.parse(npm(consumer, 'exec', '--offline', '--', 'node', '-e', script))).toMatchObject({
      port: 3478,
      address: '2001:db8::1',
    });
  });
});
