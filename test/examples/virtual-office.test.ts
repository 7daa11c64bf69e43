import { expect, test } from 'vitest';
import { main } from '../../examples/virtual-office/main.js';

test('virtual-office: the ladder shows the call, and the same seed gives the same ladder', async () => {
  const ladder = await main({ seed: 5 });
  expect(ladder).toContain('INVITE');
  expect(ladder).toContain('180 Ringing');
  expect(ladder).toContain('BYE');
  expect(await main({ seed: 5 })).toBe(ladder);
  expect(await main({ seed: 6 })).not.toBe(ladder);
});
