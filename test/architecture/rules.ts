import ts from 'typescript';
import { FLOORS, mayImport } from './floors.js';
import { importsOf, lineOf, nodesOf, parse, type Source } from './sources.js';

/** A rule of the house takes sources and tells what breaks it, one text each: `file:line what`. */
export type Rule = (sources: readonly Source[]) => string[];

/** The folder of src/ that a path lies in; undefined outside src/ and for src/index.ts. */
function floorOf(path: string): string | undefined {
  const [top, folder, ...rest] = path.split('/');
  return top === 'src' && rest.length > 0 ? folder : undefined;
}

const isIndex = (path: string): boolean => path.endsWith('/index.ts');

/** Architecture part 1: a file imports its own folder and what the table allows, from concrete files. */
export const floors: Rule = (sources) =>
  sources.flatMap((source) => {
    const from = floorOf(source.path);
    if (from !== undefined && FLOORS[from] === undefined) return [`${source.path}: src/${from} is not in the table`];
    if (from === undefined || isIndex(source.path)) return [];
    return importsOf(source).flatMap(({ path, line, specifier }) => {
      if (path === undefined) return [];
      if (isIndex(path)) return [`${source.path}:${line} imports the index ${specifier}; import the file itself`];
      const to = floorOf(path);
      return to !== undefined && mayImport(from, to)
        ? []
        : [`${source.path}:${line} ${from} may not import ${specifier}`];
    });
  });

/** No circles, type imports included. Each is told once, from its first file in order. */
export const importCycles: Rule = (sources) => {
  const next = new Map(sources.map((source) => [source.path, importsOf(source).flatMap(({ path }) => path ?? [])]));
  const done = new Set<string>();
  const trail: string[] = [];
  const cycles: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const imported of next.get(path) ?? []) visit(imported);
    trail.pop();
    done.add(path);
  };
  for (const path of next.keys()) visit(path);
  return cycles;
};

const NETWORK_MODULES = ['dgram', 'net', 'tls', 'dns', 'dns/promises', 'http', 'https', 'http2', 'quic', 'ws'];

/** Only src/net touches the network's modules. */
export const networkHome: Rule = (sources) =>
  importsOutside(sources, 'net', ({ specifier }) => NETWORK_MODULES.includes(specifier.replace(/^node:/, '')));

const TIMER_GLOBALS = ['setTimeout', 'setInterval', 'setImmediate'];
const TIME_MEMBERS = [
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'process.uptime',
  'AbortSignal.timeout',
];

/** Only src/base reads clocks and starts timers; src/testing may use setImmediate, to let real promises settle. */
export const clockHome: Rule = (sources) => [
  ...importsOutside(sources, 'base', ({ specifier }) =>
    /^(node:)?(timers|timers\/promises|perf_hooks)$/.test(specifier),
  ),
  ...usesOutside(sources, 'base', (node, source) => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0)
      return 'new Date()';
    const name = globalNamed(node);
    if (name === 'setImmediate' && floorOf(source.path) === 'testing') return undefined;
    return name !== undefined && (TIMER_GLOBALS.includes(name) || TIME_MEMBERS.includes(name)) ? name : undefined;
  }),
];

const RANDOM_NAMES = [
  'randomBytes',
  'randomInt',
  'randomUUID',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'webcrypto',
  '*',
];
const RANDOM_MEMBERS = ['Math.random', 'crypto.randomUUID', 'crypto.getRandomValues'];

/** Only src/base makes randomness; hashes and comparisons of node:crypto are free, by name. */
export const randomnessHome: Rule = (sources) => [
  ...importsOutside(
    sources,
    'base',
    ({ specifier, names }) => /^(node:)?crypto$/.test(specifier) && names.some((name) => RANDOM_NAMES.includes(name)),
  ),
  ...usesOutside(sources, 'base', (node) => {
    const name = globalNamed(node);
    return name !== undefined && RANDOM_MEMBERS.includes(name) ? name : undefined;
  }),
];

const LONGEST_FILE = 400;

/** One concept a file. */
export const fileLength: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > LONGEST_FILE ? [`${path} has ${lines} lines, more than ${LONGEST_FILE}`] : [];
  });

/** index.ts re-exports by name and holds nothing else: no `export *`, no import, no code. */
export const indexFiles: Rule = (sources) =>
  sources
    .filter(({ path }) => isIndex(path))
    .flatMap((source) =>
      parse(source).statements.flatMap((statement) => {
        const byName =
          ts.isExportDeclaration(statement) &&
          statement.moduleSpecifier !== undefined &&
          statement.exportClause !== undefined &&
          ts.isNamedExports(statement.exportClause);
        return byName ? [] : [`${source.path}:${lineOf(statement)} is not a re-export by name`];
      }),
    );

/** Examples are what a host app would write: of pbxkit they import only the package, else Node.js and files of their own. */
export const exampleImports: Rule = (sources) =>
  sources.flatMap((source) =>
    importsOf(source).flatMap(({ specifier, path, line }) => {
      const own = source.path.split('/').slice(0, 2).join('/');
      const fine = path === undefined ? /^(node:|pbxkit(\/|$))/.test(specifier) : path.startsWith(`${own}/`);
      return fine ? [] : [`${source.path}:${line} imports ${specifier}`];
    }),
  );

const SUPPRESSIONS = /@ts-(ignore|nocheck|expect-error)|eslint-disable|biome-ignore|istanbul ignore|c8 ignore/;

/** No check is switched off in place. Type tests need `@ts-expect-error`: they prove that something does not compile. */
export const suppressions: Rule = (sources) =>
  sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => {
      const found = SUPPRESSIONS.exec(line)?.[0];
      if (found === undefined || (found === '@ts-expect-error' && path.startsWith('test/types/'))) return [];
      return [`${path}:${at + 1} ${found}`];
    }),
  );

/** The stable codes: the members of the union `ErrorCode`. */
export function errorCodes(source: Source): string[] {
  for (const statement of parse(source).statements) {
    if (!ts.isTypeAliasDeclaration(statement) || statement.name.text !== 'ErrorCode') continue;
    return [...nodesOf(statement.type)].filter(ts.isStringLiteral).map((literal) => literal.text);
  }
  return [];
}

type Imported = ReturnType<typeof importsOf>[number];

function importsOutside(sources: readonly Source[], home: string, matches: (imported: Imported) => boolean): string[] {
  return sources
    .filter((source) => floorOf(source.path) !== home)
    .flatMap((source) =>
      importsOf(source)
        .filter(matches)
        .map(({ specifier, line }) => `${source.path}:${line} ${specifier} outside src/${home}`),
    );
}

function usesOutside(
  sources: readonly Source[],
  home: string,
  use: (node: ts.Node, source: Source) => string | undefined,
): string[] {
  return sources
    .filter((source) => floorOf(source.path) !== home)
    .flatMap((source) =>
      [...nodesOf(parse(source))].flatMap((node) => {
        const name = use(node, source);
        return name === undefined ? [] : [`${source.path}:${lineOf(node)} ${name} outside src/${home}`];
      }),
    );
}

/** `setTimeout`, `Date.now`: a value named by an identifier or two, not a property, parameter or type of that name. */
function globalNamed(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const { expression, name } = node;
    if (ts.isIdentifier(expression))
      return expression.text === 'globalThis' ? name.text : `${expression.text}.${name.text}`;
    return undefined;
  }
  if (!ts.isIdentifier(node)) return undefined;
  const { parent } = node;
  const used =
    (ts.isCallExpression(parent) && (parent.expression === node || parent.arguments.includes(node))) ||
    (ts.isVariableDeclaration(parent) && parent.initializer === node) ||
    (ts.isPropertyAssignment(parent) && parent.initializer === node) ||
    ts.isShorthandPropertyAssignment(parent) ||
    (ts.isPropertyAccessExpression(parent) && parent.expression === node);
  return used ? node.text : undefined;
}
