import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const corpora = resolve(root, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora');

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bodies of RFC 4317; empty when the corpora are not on this machine. */
export function rfc4317(): CorpusFile[] {
  const folder = resolve(corpora, 'sdp-rfc4317');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sdp'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(resolve(folder, name)) }));
}

export const NO_CORPUS = 'skipped: the RFC 4317 corpus is not here; set PBXKIT_CORPORA';
