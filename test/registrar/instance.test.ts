import { describe, expect, test } from 'vitest';
import { instanceKey, isSameInstance } from '../../src/registrar/instance.js';

describe('RFC 5626 §4.1: an instance is a URN', () => {
  test.each([
    ['<urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6>', '<URN:UUID:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>', true],
    ['<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', true],
    ['<URN:gsma:imei:1>', '<urn:GSMA:imei:1>', true],
    ['<urn:gsma:imei:a>', '<urn:gsma:imei:A>', false],
    ['<urn:uuid:a>', '<urn:uuid:b>', false],
    ['no URN', 'No urn', false],
    ['urn:', 'URN:', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect(isSameInstance(a, b)).toBe(same);
    expect(instanceKey(a) === instanceKey(b)).toBe(same);
  });

  test('two phones without an instance are not one', () => {
    expect(isSameInstance(undefined, undefined)).toBe(false);
    expect(isSameInstance(undefined, '<urn:uuid:a>')).toBe(false);
  });
});
