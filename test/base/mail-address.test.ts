import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMailAddress } from '../../src/base/mail-address.js';

describe('isMailAddress (RFC 5321 §4.1.2, RFC 6531)', () => {
  test.each([
    'a@b',
    'alice@office.example',
    'first.last+tag@sub.office.example',
    "o'neil_x-1@office.example",
    'jürgen@büro.example',
    'alice@[192.0.2.1]',
    `${'a'.repeat(64)}@office.example`,
  ])('%s is one', (address) => expect(isMailAddress(address)).toBe(true));

  test.each([
    '',
    'alice',
    '@office.example',
    'alice@',
    'Alice <alice@office.example>',
    'a@b.example, c@d.example',
    'a@b@c.example',
    'a b@office.example',
    '.a@office.example',
    'a..b@office.example',
    'a@office..example',
    'a@-office.example',
    'a@office.example\r\nBcc: all@office.example',
    'a@office.example\n',
    '"a b"@office.example',
    `${'a'.repeat(65)}@office.example`,
    `a@${'b'.repeat(260)}`,
  ])('%j is none', (address) => expect(isMailAddress(address)).toBe(false));

  test('other types are none', () => {
    for (const each of [undefined, null, 5, {}, ['a@b']]) expect(isMailAddress(each)).toBe(false);
  });

  test('what it lets pass can begin no header, end no address and hold no second one', () => {
    const pieces = fc.constantFrom(
      'a',
      '.',
      '@',
      'é',
      '-',
      ' ',
      ',',
      ';',
      '<',
      '>',
      '"',
      '\r',
      '\n',
      '\t',
      '\0',
      '(',
      ':',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        if (!isMailAddress(text)) return;
        expect(text).not.toMatch(/[\s,;<>"():\p{Cc}]/u);
        expect(text.split('@')).toHaveLength(2);
      }),
      { numRuns: 5_000 },
    );
  });
});
