import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = resolve(root, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora', 'dtmf-rfc4733');

export interface Capture {
  /** The digit that was pressed. */
  readonly digit: string;
  readonly file: Buffer;
}

const SPELLED: Readonly<Record<string, string>> = { star: '*', pound: '#' };

/** The captures of one key each, `dtmf_2833_5.pcap`; empty when the corpora are not on this machine. */
export function keyCaptures(): Capture[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith('dtmf_2833_'))
    .sort()
    .map((name) => {
      const key = name.slice('dtmf_2833_'.length, -'.pcap'.length);
      return { digit: SPELLED[key] ?? key, file: readFileSync(resolve(folder, name)) };
    });
}

/** A capture of voice, G.711 A-law; undefined when the corpora are not on this machine. */
export function voiceCapture(): Buffer | undefined {
  const path = resolve(folder, 'g711a.pcap');
  return existsSync(path) ? readFileSync(path) : undefined;
}

export const NO_CORPUS = 'skipped: the captures are not here; set PBXKIT_CORPORA';
