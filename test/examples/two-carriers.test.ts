import { expect, test } from 'vitest';
import { main } from '../../examples/two-carriers/main.js';

test('two-carriers: 9 leads out by line 1234, 8 by line 5678, without that digit; a call to the account rings the extension', async () => {
  expect((await main({ seed: 5 })).split('\n').slice(0, 2).sort()).toEqual([
    'line 1234 is registered',
    'line 5678 is registered',
  ]);
  expect((await main({ seed: 6 })).split('\n').slice(2)).toEqual([
    '100 called 95551: it went out by line 1234 as 5551, they talked 20 s',
    '100 called 85551: it went out by line 5678 as 5551, they talked 20 s',
    '5551 called 1234: it came in by line 1234, they talked 20 s',
  ]);
});
