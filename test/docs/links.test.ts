import { describe, expect, test } from 'vitest';
import { readProjectFile } from '../architecture/sources.js';
import { anchors, exists, fileLinks, namedPaths, type Page, prose, readPage, readPages } from './pages.js';

const pages = readPages();

/** Links and paths of a page that lead nowhere. */
function deadEnds(page: Page): string[] {
  const links = fileLinks(page)
    .filter(({ value: { path, anchor } }) => !exists(path) || !hasAnchor(path, anchor))
    .map(
      ({ line, value: { path, anchor } }) => `${page.path}:${line}: ${path}${anchor === undefined ? '' : `#${anchor}`}`,
    );
  const paths = namedPaths(page)
    .filter(({ value }) => !exists(value))
    .map(({ line, value }) => `${page.path}:${line}: ${value}`);
  return [...links, ...paths];
}

function hasAnchor(path: string, anchor: string | undefined): boolean {
  return anchor === undefined || anchors(readPage(path)).includes(anchor);
}

/**
 * Where docs/rfc-coverage.md quotes the name of a test, `test/x.test.ts` “name”, and the file holds no such text. Quoted
 * names follow the file that they are in; quotation marks and escapes of the source do not count.
 */
function misquoted(page: Page): string[] {
  return prose(page).flatMap((text, index) =>
    [...text.matchAll(/`(test\/[^`]+\.ts)`((?:[,;]? ?\(?“[^”]*”)+)/g)].flatMap(([, file = '', quotes = '']) =>
      [...quotes.matchAll(/“([^”]*)”/g)]
        .map(([, name = '']) => name)
        .filter((name) => !exists(file) || !readProjectFile(file).includes(name))
        .map((name) => `${page.path}:${index + 1}: ${file} “${name}”`),
    ),
  );
}

describe('README.md and docs/', () => {
  test('there is something to check', () => {
    expect(pages.length).toBeGreaterThan(8);
    expect(pages.flatMap(namedPaths).length).toBeGreaterThan(50);
    expect(pages.flatMap(fileLinks).length).toBeGreaterThan(20);
  });

  test.each(pages.map((page) => [page.path, page] as const))('%s: every link and every path exists', (_path, page) => {
    expect(deadEnds(page)).toEqual([]);
  });

  test.each(pages.map((page) => [page.path, page] as const))(
    '%s: quoted test names are in their files',
    (_path, page) => {
      expect(misquoted(page)).toEqual([]);
    },
  );

  test('a planted dead end is found', () => {
    const text =
      'See [x](docs/gone.md), [y](docs/errors.md#no-such-heading), `src/gone.ts`, `test/base/ip.test.ts` “no such test”.';
    const planted = { path: 'README.md', text };
    expect(deadEnds(planted)).toHaveLength(3);
    expect(misquoted(planted)).toHaveLength(1);
    expect(deadEnds({ ...planted, text: `\`\`\`\n${text}\n\`\`\`` })).toEqual([]);
  });

  test('every page is reached from README.md', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      if (!path.endsWith('.md')) continue;
      for (const { value } of fileLinks(readPage(path))) if (exists(value.path)) reached.add(value.path);
    }
    const alone = pages
      .map(({ path }) => path)
      .filter((path) => !reached.has(path) && !path.startsWith('docs/decisions/'));
    expect(alone).toEqual([]);
  });
});
