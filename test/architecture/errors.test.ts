import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { errorCodes } from './rules.js';
import { nodesOf, parse, readProjectFile, readSources } from './sources.js';

const codes = errorCodes({ path: 'src/base/errors.ts', text: readProjectFile('src/base/errors.ts') });

/** docs/errors.md has one section a code: a heading with the code alone, then meaning, cause, and what to do. */
const sections = new Map(
  readProjectFile('docs/errors.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`([A-Z_]+)`$/m.exec(section)?.[1] ?? section.split('\n')[0], section] as const),
);

describe('docs/errors.md', () => {
  test('lists exactly the codes of ErrorCode', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect([...sections.keys()].sort()).toEqual([...codes].sort());
  });

  test.each(codes)('%s: says what it means, what causes it and what to do', (code) => {
    for (const part of ['- Means: ', '- Cause: ', '- Do: ']) expect(sections.get(code)).toContain(part);
  });

  test('every code is used by the code', () => {
    const used = new Set(
      readSources('src')
        .filter(({ path }) => path !== 'src/base/errors.ts')
        .flatMap((source) => [...nodesOf(parse(source))].filter(ts.isStringLiteral).map((literal) => literal.text)),
    );
    const inErrors = readProjectFile('src/base/errors.ts').replace(/export type ErrorCode =[^;]*;/, '');
    expect(codes.filter((code) => !used.has(code) && !inErrors.includes(`'${code}'`))).toEqual([]);
  });
});
