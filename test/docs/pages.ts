import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProjectFile } from '../architecture/sources.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One page of the documentation, by its path from the root. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string;
  /** Where its first line of code stands. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** Something that a page says at a line. */
export interface Said<Value> {
  readonly line: number;
  readonly value: Value;
}

/** README.md and everything below docs/, but for the API reports, which a program writes. */
export function readPages(): Page[] {
  const docs = readdirSync(posix.join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  const paths = docs
    .map((entry) => posix.join('docs', entry.replaceAll('\\', '/')))
    .filter((path) => !path.startsWith('docs/api/'))
    .filter((path) => path.endsWith('.md'));
  return ['README.md', ...paths.sort()].map((path) => ({ path, text: readProjectFile(path) }));
}

export function readPage(path: string): Page {
  return { path, text: readProjectFile(path) };
}

/** Whether the project has that file or folder. */
export function exists(path: string): boolean {
  return existsSync(posix.join(root, path));
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(page: Page): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  page.text.split('\n').forEach((text, index) => {
    const fence = text.trimStart().startsWith('```');
    if (open === undefined && fence) {
      open = { line: index + 2, language: text.trim().slice(3).trim(), lines: [] };
    } else if (open !== undefined && fence) {
      const { line, language, lines } = open;
      blocks.push({ page: page.path, line, language, code: lines.join('\n') });
      open = undefined;
    } else open?.lines.push(text);
  });
  return blocks;
}

/** The lines of a page outside its fenced blocks; those inside are empty. */
export function prose(page: Page): string[] {
  let inside = false;
  return page.text.split('\n').map((text) => {
    const fence = text.trimStart().startsWith('```');
    if (fence) inside = !inside;
    return fence || inside ? '' : text;
  });
}

/** Links to files of the project, resolved from the root; with the anchor, if one is named. */
export function fileLinks(page: Page): Said<{ readonly path: string; readonly anchor: string | undefined }>[] {
  return said(page, /\]\(([^)\s]+)\)/g)
    .filter(({ value }) => !/^[a-z]+:/.test(value))
    .map(({ line, value }) => {
      const [path = '', anchor] = value.split('#');
      return { line, value: { path: path === '' ? page.path : posix.join(posix.dirname(page.path), path), anchor } };
    });
}

/** Paths in backticks, such as `src/ua/uac.ts`; wildcards and placeholders are not meant as files. */
export function namedPaths(page: Page): Said<string>[] {
  return said(page, /`((?:src|test|docs|examples|scripts)\/[^`\s]*)`/g).filter(({ value }) => !/[*{}<>…]/.test(value));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(page: Page): string[] {
  return prose(page)
    .filter((text) => /^#{1,6} /.test(text))
    .map((text) =>
      text
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

function said(page: Page, pattern: RegExp): Said<string>[] {
  return prose(page).flatMap((text, index) =>
    [...text.matchAll(pattern)].map((match) => ({ line: index + 1, value: match[1] ?? '' })),
  );
}
