import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/base/nearest.js';

const FIELDS = ['name', 'server', 'username', 'password', 'authorizationId', 'domain'];

describe('the word that a misspelled one stands for', () => {
  test.each([
    ['a letter too few', 'pasword', 'password'],
    ['a letter too many', 'serverr', 'server'],
    ['two that changed places', 'usernmae', 'username'],
    ['another letter', 'autorisationId', 'authorizationId'],
    ['another case', 'AUTHORIZATIONID', 'authorizationId'],
  ])('%s', (_, word, meant) => {
    expect(nearest(word, FIELDS)).toBe(meant);
  });

  test('is none when no word is near, or there are none', () => {
    expect(nearest('colour', FIELDS)).toBeUndefined();
    expect(nearest('', FIELDS)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
    expect(nearest('x'.repeat(100_000), FIELDS)).toBeUndefined();
  });

  test('is the nearest of several, and the first of those that are as near', () => {
    expect(nearest('lins', ['links', 'line', 'lines'])).toBe('links');
    expect(nearest('lines', ['line', 'lines'])).toBe('lines');
  });
});
