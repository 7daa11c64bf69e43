import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frozenCopy, frozenJson, type Json } from '../../src/storage/json.js';

test('any JSON value comes back equal, frozen and apart from the original', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = JSON.parse(JSON.stringify(value)) as Json;
      for (const copy of [frozenCopy(value), frozenJson(JSON.stringify(value))]) {
        expect(copy).toEqual(read);
        if (typeof copy !== 'object' || copy === null) continue;
        expect(copy).not.toBe(value);
        expect(isDeepFrozen(copy)).toBe(true);
      }
    }),
  );
});

test('the message names the place and what stands there', () => {
  expect(() => frozenCopy({ a: [1, { b: undefined }] })).toThrow('value.a[1].b: found undefined, expected plain JSON');
  expect(() => frozenCopy({ when: new Date(0) })).toThrow('value.when: found an instance of Date');
  expect(() => frozenCopy([Number.NaN])).toThrow('value[0]: found NaN');
});

test('a __proto__ key is data like any other', () => {
  const text = '{"__proto__":{"polluted":true}}';
  for (const value of [frozenCopy(JSON.parse(text)), frozenJson(text)]) {
    expect((value as { polluted?: Json }).polluted).toBeUndefined();
    expect(JSON.stringify(value)).toBe(text);
  }
});

test('a copy has no more than the text would say: no -0, no holes, no names beside the elements of an array', () => {
  expect(Object.is(frozenCopy(-0), 0)).toBe(true);
  expect(() => frozenCopy(new Array(2))).toThrow('value[0]: found undefined');
  expect(Object.keys(frozenCopy(Object.assign([1], { more: 2 })) as object)).toEqual(['0']);
});

function isDeepFrozen(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every((inner) => isDeepFrozen(inner as Json));
}
