import { expect, test } from 'vitest';
import { main } from '../../examples/nat-cure/main.js';

test('nat-cure: behind two NATs nobody hears anything directly, and both hear each other by auto', async () => {
  const told = (await main({ seed: 5 })).split('\n');
  expect(told.map((line) => line.trim())).toEqual([
    "media: { path: 'direct' }",
    "Alice hears 0 of Bob's 200 packets, Bob hears 0 of Alice's 200",
    'nobody has asked whether they reach each other: each was told the private address of the other',
    'ports of the server in use: 0 in the call, 0 afterwards',
    "media: { path: 'auto' }",
    expect.stringMatching(/^Alice hears (19\d|200) of Bob's 200 packets, Bob hears (19\d|200) of Alice's 200$/),
    expect.stringMatching(
      /^decided: relay, because 100 is behind a NAT \(192\.168\.1\.10 seen as 203\.0\.113\.1\), 101 is behind a NAT/,
    ),
    'ports of the server in use: 2 in the call, 0 afterwards',
  ]);
});
