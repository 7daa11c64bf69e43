import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/config-error.js';

describe('the error of what cannot be used', () => {
  const problems = [
    { path: 'lines[0].server', found: '42', expected: 'a host name' },
    { path: '', found: 'nothing', expected: 'options such as { … }' },
  ];

  test('lists the problems, and has a line for each; the whole goes by its name', () => {
    const error = new ConfigError('DIALPLAN_INVALID', 'dial plan', problems);
    expect(error).toMatchObject({ code: 'DIALPLAN_INVALID', kind: 'misuse', name: 'ConfigError', problems });
    expect(error.message.split('\n')).toEqual([
      'lines[0].server: found 42, expected a host name',
      'dial plan: found nothing, expected options such as { … }',
    ]);
  });
});
