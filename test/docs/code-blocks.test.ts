import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { readProjectFile } from '../architecture/sources.js';
import { type CodeBlock, codeBlocks, readPages } from './pages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the text around a block speaks of, for the type checker: names that are the reader's own. */
const PRELUDE = `
import type { CallRecord, Pbx, PbxOptions } from 'pbxkit';
import type { World } from 'pbxkit/testing';
declare global {
  const secrets: Readonly<Record<'alice' | 'bob' | 'carrierA' | 'carrierB', string>>;
  const billing: { add(record: CallRecord): void };
  const office: Pick<PbxOptions, 'domain' | 'extensions'>;
  const createPbx: typeof import('pbxkit').createPbx;
  const pbx: Pbx;
  const world: World;
}
`;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  moduleDetection: ts.ModuleDetectionKind.Force,
  baseUrl: root,
  paths: {
    pbxkit: ['./src/index.ts'],
    'pbxkit/*': ['./src/*/index.ts'],
  },
};

/** What the type checker says of the blocks, each of which is a module of its own. */
function complaints(blocks: readonly CodeBlock[]): string[] {
  const virtual = new Map<string, string>([[posix.join(root, 'docs/prelude.ts'), PRELUDE]]);
  const blockOf = new Map<string, CodeBlock>();
  for (const block of blocks) {
    const file = posix.join(root, `docs/${block.page.replaceAll('/', '-')}-${block.line}.ts`);
    virtual.set(file, block.code);
    blockOf.set(file, block);
  }
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = virtual.get(path);
    return text === undefined ? getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...virtual.keys()], OPTIONS, host);
  return [...virtual.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    const block = blockOf.get(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ start, messageText }) => {
        const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line;
        const at = block === undefined ? 'prelude' : `${block.page}:${block.line + line}`;
        return `${at}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
}

const blocks = readPages()
  .flatMap(codeBlocks)
  .filter(({ language }) => language === 'ts');

test('every TypeScript block of README.md and docs/ compiles against the package', { timeout: 120_000 }, () => {
  expect(blocks.length).toBeGreaterThan(4);
  const planted: CodeBlock = {
    page: 'planted',
    line: 1,
    language: 'ts',
    code: `createPbx({ domian: 'office.example' });`,
  };
  const [first, ...others] = complaints([planted, ...blocks]);
  expect(first).toContain('planted:1');
  expect(others).toEqual([]);
});

test('the test in docs/guides/first-pbx.md is one that runs here', () => {
  const guide = blocks.filter(({ page }) => page === 'docs/guides/first-pbx.md').map(({ code }) => code);
  expect(guide).toContain(readProjectFile('test/docs/first-pbx.test.ts').trimEnd());
});
