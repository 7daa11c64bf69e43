import { describe, expect, test } from 'vitest';
import { readPage } from './pages.js';

const PAGE = 'docs/test-points.md';
const page = readPage(PAGE);

/** The rows of the tables under a heading of the second level, each as its cells. */
function rowsUnder(heading: string): string[][] {
  const section = page.text.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|Point|#|Program|Flow|§) /.test(line))
    .map((line) => line.slice(2, -2).split(' | '));
}

/** Rows whose last cell neither quotes a test nor says why there is none. */
function unproved(rows: readonly (readonly string[])[]): string[] {
  return rows
    .filter((cells) => !/`test\/[^`]+\.test\.ts` “[^”]+”|^(?:Later|Never|Open): \S/.test(cells.at(-1) ?? ''))
    .map((cells) => cells.join(' | '));
}

const FLOWS =
  'R1 R2 R3 R4 R5 R6 R7 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 G1 G2 G3 G4 G5 G6 H1 H2 H3 T1 T2 T3 T4 T5 T6 F1 F2 F3 F4 N1 N2 N3 M1 M2 K1 K2 A1 A2 I1';
const RACES = '3.1.1 3.1.2 3.1.3 3.1.4 3.1.5 3.1.6 3.2.1 3.2.2 3.2.3 3.2.4 3.3.1 3.3.2 3.3.3';

/** That the quoted tests exist is held by links.test.ts, as for every page. */
describe(PAGE, () => {
  const lists = ['What the RFCs demand', 'Check-list', 'Real programs', 'Flows', 'Races'];

  test.each(lists)('%s: every row names a test, or says why there is none', (heading) => {
    const rows = rowsUnder(heading);
    expect(rows.length).toBeGreaterThan(10);
    expect(unproved(rows)).toEqual([]);
  });

  test('the check-list is whole: 1 to 90, each once', () => {
    expect(rowsUnder('Check-list').map(([number]) => Number(number))).toEqual(
      Array.from({ length: 90 }, (_, i) => i + 1),
    );
  });

  test('every flow and every race has its row', () => {
    expect(rowsUnder('Flows').map(([flow]) => flow)).toEqual(FLOWS.split(' '));
    expect(rowsUnder('Races').map(([race]) => race)).toEqual(RACES.split(' '));
  });

  test('a row without a test is found', () => {
    expect(
      unproved([
        ['1', 'a point', 'someone will see to it'],
        ['2', 'another', 'Never: nobody wants it'],
      ]),
    ).toEqual(['1 | a point | someone will see to it']);
  });
});
