import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { nodesOf, parse, readProjectFile } from '../architecture/sources.js';

const SOURCES = [
  'src/pbx/events.ts',
  'src/call/call-service.ts',
  'src/registrar/registrar.ts',
  'src/trunk/events.ts',
  'src/mailer/outbox-events.ts',
  'src/media/media-events.ts',
  'src/nat/events.ts',
];
const files = SOURCES.map((path) => parse({ path, text: readProjectFile(path) }));

/** The interface of that name, wherever it is declared. */
function declared(name: string): ts.InterfaceDeclaration {
  for (const file of files)
    for (const node of nodesOf(file)) if (ts.isInterfaceDeclaration(node) && node.name.text === name) return node;
  throw new Error(`there is no interface ${name} in ${SOURCES.join(', ')}`);
}

/** Its members and those of the interfaces that it extends. */
function membersOf(declaration: ts.InterfaceDeclaration): ts.PropertySignature[] {
  const inherited = (declaration.heritageClauses ?? [])
    .flatMap((clause) => [...clause.types])
    .flatMap((type) => membersOf(declared(type.expression.getText())));
  return [...declaration.members.filter(ts.isPropertySignature), ...inherited];
}

/** The fields of an event's type: a literal, an interface, or an intersection of these. */
function fieldsOf(type: ts.TypeNode | undefined): string[] {
  if (type === undefined) return [];
  if (ts.isTypeLiteralNode(type)) return type.members.filter(ts.isPropertySignature).map(nameOf);
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(fieldsOf);
  if (ts.isTypeReferenceNode(type)) return membersOf(declared(type.typeName.getText())).map(nameOf);
  throw new Error(`an event of an unexpected type: ${type.getText()}`);
}

function nameOf(member: ts.PropertySignature): string {
  return ts.isStringLiteral(member.name) ? member.name.text : member.name.getText();
}

/** docs/events.md: a heading for each event, and under it a line for each field. */
const told = new Map(
  readProjectFile('docs/events.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => [
      /^`([^`]+)`$/m.exec(section)?.[1] ?? section,
      [...section.matchAll(/^- `(\w+)`/gm)].map((match) => match[1] ?? ''),
    ]),
);

const events = new Map(membersOf(declared('PbxEvents')).map((member) => [nameOf(member), fieldsOf(member.type)]));

describe('docs/events.md', () => {
  test('lists exactly the events of PbxEvents', () => {
    expect(events.size).toBeGreaterThan(8);
    expect([...told.keys()].sort()).toEqual([...events.keys()].sort());
  });

  test.each([...events])('%s: lists exactly its fields', (name, fields) => {
    expect(fields.length).toBeGreaterThan(1);
    expect([...(told.get(name) ?? [])].sort()).toEqual([...fields].sort());
  });
});
