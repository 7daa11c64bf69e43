import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const corpora = resolve(root, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora');

/** False: the fuzzer has only its own seeds and words. */
export const corporaPresent = existsSync(corpora);

/** The files of one folder of the corpora, in order of their names; none when the corpora are not on this machine. */
export function corpusFiles(folder: string, extension = ''): Uint8Array[] {
  const path = resolve(corpora, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => readFileSync(resolve(path, name)));
}

/** The words of a dictionary in the format of AFL and libFuzzer: `"text"` or `name="text"`, with \xHH, \\ and \". */
export function dictionary(name: string): Uint8Array[] {
  const path = resolve(corpora, 'fuzz-dictionaries', name);
  if (!existsSync(path)) return [];
  const words: Uint8Array[] = [];
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const text = line.trim();
    const open = text.indexOf('"');
    if (text.startsWith('#') || open < 0 || !text.endsWith('"') || text.length < open + 2) continue;
    words.push(bytesOf(text.slice(open + 1, -1)));
  }
  return words;
}

function bytesOf(text: string): Uint8Array {
  const plain = text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_all, code: string) =>
    code.startsWith('x') && code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : code,
  );
  return Buffer.from(plain, 'latin1');
}
