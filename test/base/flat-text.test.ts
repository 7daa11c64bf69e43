import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatText } from '../../src/base/flat-text.js';
import { sameSecret } from '../../src/base/same-secret.js';

test('a flat text is the text that it was made of', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(flatText(`${a}|${b}`)).toBe(`${a}|${b}`);
      expect(flatText(a)).toBe(a);
    }),
  );
});

test('secrets are the same if and only if the texts are', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(sameSecret(a, `${a}`)).toBe(true);
      expect(sameSecret(a, b)).toBe(a === b);
      expect(sameSecret(a, `${a}x`)).toBe(false);
    }),
  );
  expect(sameSecret('abc', 'abd')).toBe(false);
});
