import { describe, expect, it } from 'vitest';
import { keepConst } from '../../scripts/keep-const.js';

describe('keepConst', () => {
  it('makes a variable that is written once a const', () => {
    expect(keepConst('var a = 1;\nvar b = new Map(), c = class {};\nexport { a, b, c };')).toBe(
      'const a = 1;\nconst b = new Map(), c = class {};\nexport { a, b, c };',
    );
  });

  it('gives a class that names itself inside its own name again', () => {
    expect(keepConst('var A = class _A {\n  static of() { return new _A(this._A, _A.b); }\n};')).toBe(
      'const A = class A {\n  static of() { return new A(this._A, A.b); }\n};',
    );
  });

  it('a store into an object or an array does not write the variable', () => {
    expect(keepConst('var list = [];\nlist[0] = 1;\nlist.name = !list;')).toBe(
      'const list = [];\nlist[0] = 1;\nlist.name = !list;',
    );
  });

  it.each([
    'var a = 1;\na = 2;',
    'var a = 1;\nfunction f() { a += 1; }',
    'var a = 1;\na++;',
    'var a = 1;\n--a;',
    'var a = 1;\n[a] = [2];',
    'var a = 1;\n({ a } = {});',
    'var a = 1;\n({ b: { a = 2 } } = {});',
    'var a = 1;\n[...a] = [];',
    'var a = 1;\nfor (a of []);',
    'var a = 1;\nfor (a in {});',
    'var a = 1;\na ??= 2;',
    'var a;',
    'var { a } = {};',
    'let a = 1;',
    'function f() { var a = 1; }',
  ])('leaves %s as it is', (code) => {
    expect(keepConst(code)).toBe(code);
  });
});
