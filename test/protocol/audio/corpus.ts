import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const corpora = resolve(root, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora');

/** False: the tests that need the corpora are left out, and say so. */
export const corporaPresent = existsSync(corpora);
export const CORPORA_NEEDED = '(needs PBXKIT_CORPORA or ../shared/corpora)';

export function corpusFile(path: string): Uint8Array {
  return readFileSync(resolve(corpora, path));
}

/** The files below a folder of the corpora, by their paths from it; none when the corpora are not on this machine. */
export function corpusPaths(folder: string, extension: string): string[] {
  const path = resolve(corpora, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .sort();
}

/** The numbers of a file of little-endian 16-bit words. */
export function corpusWords(path: string): Int16Array {
  const bytes = corpusFile(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int16Array.from({ length: bytes.byteLength >> 1 }, (_none, i) => view.getInt16(2 * i, true));
}

/** The words of a dictionary in the format of AFL and libFuzzer: `"text"` or `name="text"`, with \xHH. */
export function dictionary(name: string): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (const line of Buffer.from(corpusFile(`fuzz-dictionaries/${name}`))
    .toString('latin1')
    .split('\n')) {
    const quoted = /^[^#"]*"(.*)"\s*$/.exec(line)?.[1];
    if (quoted === undefined) continue;
    const plain = quoted.replace(/\\x([0-9a-fA-F]{2})/g, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    words.push(Buffer.from(plain, 'latin1'));
  }
  return words;
}
