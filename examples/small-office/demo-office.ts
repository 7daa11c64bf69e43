import { randomBytes } from 'node:crypto';
import { extensionFrom, PbxConfigError, type PbxOptions, StoredDirectory } from 'pbxkit';
import { lmdb } from 'pbxkit/storage/lmdb';

const DOMAIN = 'small-office.test';
const PEOPLE = [
  { number: '100', name: 'Alice' },
  { number: '101', name: 'Bob' },
  { number: '102', name: 'Carol' },
];

/** Three extensions, kept on disk in ./data. Only what the passwords hash to is stored, so they can be shown only once. */
export async function demoOffice(args: readonly string[]): Promise<PbxOptions> {
  const unknown = args.find((arg) => arg !== '--new-passwords');
  if (unknown !== undefined) {
    throw new PbxConfigError([{ path: 'arguments', found: unknown, expected: '--config FILE or --new-passwords' }]);
  }
  const storage = lmdb({ path: './data/small-office' });
  const directory = new StoredDirectory({ records: storage.records });
  const known = await directory.list('default');
  if (known.length === 0 || args.includes('--new-passwords')) {
    console.log('Passwords, shown only this once (npm start -- --new-passwords makes others):');
    for (const person of PEOPLE) {
      const password = randomBytes(9).toString('base64url');
      const extension = extensionFrom({ ...person, password }, DOMAIN);
      if (known.some(({ number }) => number === person.number)) await directory.replace('default', extension);
      else await directory.add('default', extension);
      console.log(`  ${person.number}  ${person.name.padEnd(6)}  ${password}`);
    }
  }
  return { domain: DOMAIN, listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'], storage, directory };
}
