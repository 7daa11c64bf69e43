import { expect, test } from 'vitest';
import { main } from '../../examples/branch-offices/main.js';

test('branch-offices: the branches call each other by the trunk server, and each server knows who calls', async () => {
  expect((await main({ seed: 5 })).split('\n').sort()).toEqual([
    'branch-a: 201 called 301, from a phone to head, they talked 20 s',
    'branch-a: 301 called 201, from head to a phone, they talked 20 s',
    'branch-b: 201 called 301, from head to a phone, they talked 20 s',
    'branch-b: 301 called 201, from a phone to head, they talked 20 s',
    'head: 201 called 301, from branch-a to branch-b, they talked 20 s',
    'head: 301 called 201, from branch-b to branch-a, they talked 20 s',
  ]);
});
