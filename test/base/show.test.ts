import { describe, expect, test } from 'vitest';
import { show } from '../../src/base/show.js';

describe('a value in a message', () => {
  for (const [path, value, shown] of [
    ['a', undefined, 'nothing'],
    ['a', null, 'null'],
    ['a', 'text', '"text"'],
    ['a', 42, '42'],
    ['a', Number.NaN, 'null'],
    ['a', () => 1, 'a function'],
    ['a', 10n, 'bigint'],
    ['a', Symbol('s'), 'symbol'],
    ['extensions[0].password', 'hunter2', 'a text of 7 characters'],
    ['extensions[0].password', 42, 'number'],
    ['nonceSecret', new Uint8Array([1, 2, 3]), 'object'],
    ['PASSWORD', 'hunter2', 'a text of 7 characters'],
  ] as const) {
    test(`${String(path)}: ${shown}`, () => {
      expect(show(path, value)).toBe(shown);
    });
  }

  test('secrets inside it are not shown', () => {
    expect(show('extensions[0]', { number: '1', password: 'hunter2', nonceSecret: 'x' })).toBe(
      '{"number":"1","password":"…","nonceSecret":"…"}',
    );
  });

  test('what JSON cannot show is named', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(show('storage', circle)).toBe('an object');
    expect(show('calls', { maxCalls: 1n })).toBe('an object');
  });

  test('is cut when it is long', () => {
    const shown = show('a', 'x'.repeat(1000));
    expect(shown.length).toBeLessThanOrEqual(60);
    expect(shown.endsWith('…')).toBe(true);
  });

  test('a password that is misspelled, or stands in a URI, is not shown either', () => {
    expect(show('lines[0]', { pasword: 'hunter2', passwd: 'hunter2', pass: 'hunter2' })).not.toContain('hunter2');
    expect(show('server', 'sip:bob:hunter2@carrier.example')).toBe('"sip:bob:…@carrier.example"');
    expect(show('compass', 'north')).toBe('"north"');
  });
});
