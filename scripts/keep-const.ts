import ts from 'typescript';

/**
 * Bundled code in which a variable of the module that is written once is a `const`, as it is in the sources. esbuild makes each of them
 * a `var`, whose value the engine has to load again at every use: parsing and printing SIP then cost a tenth more. A class that names
 * itself inside has its own name again, which esbuild gives an underscore: people read it in errors and in the console.
 *
 * @param code a bundle as esbuild writes it: an ES module in which no name of the module is declared twice
 */
export function keepConst(code: string): string {
  const source = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const written = writtenNames(source);
  const edits: { readonly start: number; readonly length: number; readonly text: string }[] = [];
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement) || !isConstant(statement.declarationList, written)) continue;
    edits.push({ start: statement.getStart(source), length: 'var'.length, text: 'const' });
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (initializer === undefined || !ts.isClassExpression(initializer) || !ts.isIdentifier(name)) continue;
      if (initializer.name?.text !== `_${name.text}`) continue;
      for (const start of placesOf(initializer.name.text, initializer, source)) {
        edits.push({ start, length: name.text.length + 1, text: name.text });
      }
    }
  }
  let kept = '';
  let from = 0;
  for (const { start, length, text } of edits) {
    kept += code.slice(from, start) + text;
    from = start + length;
  }
  return kept + code.slice(from);
}

/** Where a class names itself, in order; not where a member of something has that name. */
function placesOf(name: string, inside: ts.Node, source: ts.SourceFile): number[] {
  const places: number[] = [];
  const visit = (node: ts.Node): void => {
    const member = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
    if (ts.isIdentifier(node) && node.text === name && !member) places.push(node.getStart(source));
    ts.forEachChild(node, visit);
  };
  visit(inside);
  return places;
}

function isConstant(list: ts.VariableDeclarationList, written: ReadonlySet<string>): boolean {
  if ((list.flags & ts.NodeFlags.BlockScoped) !== 0) return false;
  return list.declarations.every(
    ({ name, initializer }) => initializer !== undefined && ts.isIdentifier(name) && !written.has(name.text),
  );
}

/** Every name that is assigned to anywhere; one that is shadowed there counts too, which only leaves a `var` as it was. */
function writtenNames(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const addTarget = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    // A store into an object or an array leaves the variable that holds it alone; a pattern writes each name in it.
    else if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node))
      ts.forEachChild(node, addTarget);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) addTarget(node.left);
    else if (ts.isPrefixUnaryExpression(node) && isStep(node.operator)) addTarget(node.operand);
    else if (ts.isPostfixUnaryExpression(node)) addTarget(node.operand);
    else if (ts.isForInStatement(node) || ts.isForOfStatement(node)) addTarget(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function isStep(operator: ts.PrefixUnaryOperator): boolean {
  return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}
