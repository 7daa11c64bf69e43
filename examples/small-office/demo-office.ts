import { randomBytes } from 'node:crypto';
import { extensionFrom, PbxConfigError, type PbxOptions, StoredDirectory } from 'pbxkit';
import { lmdb } from 'pbxkit/storage/lmdb';

const DOMAIN = 'small-office.test';
const PEOPLE = [
  { number: '100', name: 'Alice' },
  { number: '101', name: 'Bob' },
  { number: '102', name: 'Carol' },
];

/** An office and what is to be done once it serves. */
export interface Office {
  readonly options: PbxOptions;
  readonly numbers: readonly string[];
  /** Lines to print before the one that begins with `ready`. */
  afterStart(): Promise<readonly string[]>;
}

/**
 * Three extensions, kept on disk in ./data. Only what the passwords hash to is stored, so they can be shown only once; and
 * they are made only when the office serves, so that a start that fails leaves the old ones as they were.
 */
export function demoOffice(args: readonly string[]): Office {
  const unknown = args.find((arg) => arg !== '--new-passwords');
  if (unknown !== undefined) {
    const expected = '--config FILE, --new-passwords or --help (npm start -- --help)';
    throw new PbxConfigError([{ path: 'arguments', found: unknown, expected }]);
  }
  const storage = lmdb({ path: './data/small-office' });
  const directory = new StoredDirectory({ records: storage.records });
  return {
    options: { domain: DOMAIN, listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'], storage, directory },
    numbers: PEOPLE.map(({ number }) => number),
    afterStart: async () => {
      const known = await directory.list('default');
      if (known.length > 0 && !args.includes('--new-passwords')) {
        return ['Passwords were shown at the first start; npm start -- --new-passwords makes others.'];
      }
      const lines = ['Passwords, shown only this once (npm start -- --new-passwords makes others):'];
      for (const person of PEOPLE) {
        const password = randomBytes(9).toString('base64url');
        const extension = extensionFrom({ ...person, password }, DOMAIN);
        if (known.some(({ number }) => number === person.number)) await directory.replace('default', extension);
        else await directory.add('default', extension);
        lines.push(`  ${person.number}  ${person.name.padEnd(6)}  ${password}`);
      }
      return lines;
    },
  };
}
