import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One file of the project, by its path from the root, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file of the project it means; undefined for a package or a module of Node.js. */
  readonly path?: string;
  readonly names: readonly string[];
  readonly line: number;
}

/** All TypeScript files below a folder of the project; none when the folder does not exist. */
export function readSources(folder: string): Source[] {
  let entries: string[];
  try {
    entries = readdirSync(posix.join(root, folder), { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .map((entry) => posix.join(folder, entry.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts') && !path.includes('/node_modules/'))
    .sort()
    .map((path) => ({ path, text: readProjectFile(path) }));
}

export function readProjectFile(path: string): string {
  return readFileSync(posix.join(root, path), 'utf8');
}

const parsed = new WeakMap<Source, ts.SourceFile>();

export function parse(source: Source): ts.SourceFile {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2022, true);
  parsed.set(source, file);
  return file;
}

export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Every node of the file, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  for (const child of children) yield* nodesOf(child);
}

/** All ways to name another module: import, export … from, import(), require(), import types; type-only ones included. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(parse(source))) {
    const named = moduleNamedBy(node);
    if (named === undefined) continue;
    const path = projectPath(source.path, named.specifier);
    found.push({ ...named, line: lineOf(node), ...(path !== undefined && { path }) });
  }
  return found;
}

function moduleNamedBy(node: ts.Node): { specifier: string; names: readonly string[] } | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, names: importedNames(node.importClause) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, names: [] };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, names: [] };
  }
  if (ts.isCallExpression(node)) {
    const [first] = node.arguments;
    const loads = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
    if (loads && first !== undefined && ts.isStringLiteralLike(first)) return { specifier: first.text, names: [] };
  }
  return undefined;
}

/** The names that a clause takes from the module, as the module calls them; a default or namespace import counts as `*`. */
function importedNames(clause: ts.ImportClause | undefined): string[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ['*'];
  const bindings = clause.namedBindings;
  if (bindings === undefined) return names;
  if (ts.isNamespaceImport(bindings)) return [...names, '*'];
  return [...names, ...bindings.elements.map((element) => (element.propertyName ?? element.name).text)];
}

function projectPath(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}
