import { describe, expect, test } from 'vitest';
import { PbxConfigError } from '../../src/pbx/config-error.js';

describe('the error of a configuration', () => {
  test('says for each problem where, what was found and what was expected', () => {
    const problems = [
      { path: 'lines[0].server', found: '42', expected: 'a host name' },
      { path: '', found: 'nothing', expected: 'options' },
    ];
    const error = new PbxConfigError(problems);
    expect(error.code).toBe('PBX_CONFIG_INVALID');
    expect([error.kind, error.name]).toEqual(['misuse', 'PbxConfigError']);
    expect(error.problems).toEqual(problems);
    expect(error.message).toBe(
      'lines[0].server: found 42, expected a host name\noptions: found nothing, expected options',
    );
  });
});
