import { writeSync } from 'node:fs';
import { LmdbRecords } from '../../../src/storage/lmdb/lmdb-records.js';

/** Run as a child of `kill.test.ts`: writes pairs for ever and prints a number once its write has resolved. */
const records = new LmdbRecords({ path: process.argv[2] as string });
let count = ((await records.get('c', 'count'))?.value as number | undefined) ?? 0;
for (;;) {
  count++;
  const name = String(count).padStart(6, '0');
  await records.batch([
    { type: 'put', collection: 'pairs', id: `l${name}`, value: 'x'.repeat(500) },
    { type: 'put', collection: 'c', id: 'count', value: count },
    { type: 'put', collection: 'pairs', id: `r${name}`, value: 'y'.repeat(500) },
  ]);
  writeSync(1, `${count}\n`);
}
