import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frozenJson, type Json, jsonText } from '../../src/storage/json.js';

test('any JSON value comes back equal, frozen and apart from the original', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = frozenJson(jsonText(value));
      expect(copy).toEqual(JSON.parse(JSON.stringify(value)));
      if (typeof copy === 'object' && copy !== null) expect(Object.isFrozen(copy)).toBe(true);
    }),
  );
});

test('the message names the place and what stands there', () => {
  expect(() => jsonText({ a: [1, { b: undefined }] })).toThrow('value.a[1].b: found undefined, expected plain JSON');
  expect(() => jsonText({ when: new Date(0) })).toThrow('value.when: found an instance of Date');
  expect(() => jsonText([Number.NaN])).toThrow('value[0]: found NaN');
});

test('a __proto__ key is data like any other', () => {
  const value = frozenJson(jsonText(JSON.parse('{"__proto__":{"polluted":true}}')));
  expect((value as { polluted?: Json }).polluted).toBeUndefined();
  expect(jsonText(value)).toBe('{"__proto__":{"polluted":true}}');
});
