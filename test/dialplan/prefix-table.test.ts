import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixTable, samePrefix } from '../../src/dialplan/prefix-table.js';
import { numbers } from './arbitraries.js';

const rowsOf = (...prefixes: string[]) => prefixes.map((prefix, id) => ({ prefix, id }));

describe('PrefixTable', () => {
  test('every table uses the longest matching prefix (product facts, part 1), whatever the order of the rows', () => {
    const table = new PrefixTable(rowsOf('00', '*', '0049', '004'));
    expect(table.longest('004930')?.prefix).toBe('0049');
    expect(table.longest('00450')?.prefix).toBe('004');
    expect(table.longest('00')?.prefix).toBe('00');
    expect(table.longest('0')?.prefix).toBe('*');
    expect(table.longest('')?.prefix).toBe('*');
  });

  test('* alone is any number, and a key of the phone within a prefix', () => {
    expect(new PrefixTable(rowsOf('*9')).longest('123')).toBeUndefined();
    expect(new PrefixTable(rowsOf('*9')).longest('*90')?.prefix).toBe('*9');
  });

  test('what is no ASCII ends the match', () => {
    expect(new PrefixTable(rowsOf('1', '12')).longest('1٢')?.prefix).toBe('1');
    expect(new PrefixTable(rowsOf('1')).longest('\u{1f4de}')).toBeUndefined();
  });

  test('an empty table matches nothing', () => {
    expect(new PrefixTable([]).longest('1')).toBeUndefined();
    expect(new PrefixTable([]).under('')).toEqual([]);
  });

  test('rows that fit come in order: the longest prefix first, rows of one prefix as they were given', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constant('*'),
            numbers().filter((text) => text !== ''),
          ),
        ),
        numbers(),
        (prefixes, number) => {
          const rows = rowsOf(...prefixes);
          const found: { readonly prefix: string; readonly id: number }[] = [];
          const table = new PrefixTable(rows);
          for (let row = table.longest(number); row !== undefined; row = row.next)
            found.push({ prefix: row.prefix, id: row.id });
          const length = (prefix: string) => (prefix === '*' ? 0 : prefix.length);
          expect(found).toEqual(
            rows
              .filter(({ prefix }) => prefix === '*' || number.startsWith(prefix))
              .sort((a, b) => length(b.prefix) - length(a.prefix)),
          );
        },
      ),
    );
  });

  test('under() has the longer prefixes, each once; samePrefix() their rows', () => {
    const table = new PrefixTable(rowsOf('1', '12', '12', '123', '2', '*'));
    expect(
      table
        .under('1')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([1, 3]);
    expect(
      table
        .under('')
        .map(({ prefix }) => prefix)
        .sort(),
    ).toEqual(['1', '12', '123', '2']);
    expect(table.under('3')).toEqual([]);
    expect(
      table
        .under('12')
        .flatMap(samePrefix)
        .map(({ id }) => id),
    ).toEqual([3]);
    expect(
      table
        .under('1')
        .flatMap(samePrefix)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([1, 2, 3]);
  });

  test('rows of one table can stand in another', () => {
    const first = new PrefixTable(rowsOf('1', '12'));
    const row = first.longest('12');
    expect(row?.next?.prefix).toBe('1');
    expect(new PrefixTable(row === undefined ? [] : [row]).longest('12')?.next).toBeUndefined();
    expect(row?.next?.prefix).toBe('1');
  });

  test('a hundred thousand prefixes, more than 16 bits of nodes', () => {
    const table = new PrefixTable(Array.from({ length: 100_000 }, (_, i) => ({ prefix: String(100_000 + i), id: i })));
    for (const id of [0, 1, 54_321, 99_999]) expect(table.longest(`${100_000 + id}77`)?.id).toBe(id);
    expect(table.longest('99')).toBeUndefined();
  });
});
