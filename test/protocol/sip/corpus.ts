import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One line of the table of expected outcomes. */
export interface Expectation {
  readonly rfc: number;
  readonly section: string;
  readonly file: string;
  readonly via_transport: string;
  readonly kind: 'request' | 'response';
  readonly parser: 'accept' | 'reject' | 'either';
  readonly outcome: string;
}

const root = process.env['PBXKIT_CORPORA'] ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url));

/** Why tests over the corpora are skipped, undefined when they are there. */
export const corpusAbsent = existsSync(root)
  ? undefined
  : `no corpora at ${root}; set PBXKIT_CORPORA to the folder that holds them`;

/** The table, empty when the corpora are absent. */
export function expectations(): readonly Expectation[] {
  if (corpusAbsent !== undefined) return [];
  return JSON.parse(readFileSync(`${root}/rfc4475-rfc5118-expected.json`, 'utf8')) as readonly Expectation[];
}

/** The bytes of one file of the corpora, such as 'rfc4475/wsinv.dat'. */
export function vector(file: string): Buffer {
  return readFileSync(`${root}/${file}`);
}
