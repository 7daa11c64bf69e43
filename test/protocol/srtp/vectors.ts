import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One entry of the vector file; which fields it has depends on `kind`. Bytes are hexadecimal. */
export interface SrtpVector {
  readonly source: string;
  readonly kind: string;
  readonly key: string;
  readonly counter: string;
  readonly keystream: string;
  readonly masterKey: string;
  readonly masterSalt: string;
  readonly label: number;
  readonly bytes: number;
  readonly expected: string;
  readonly rtp: string;
  readonly srtp: string;
  readonly rtcp: string;
  readonly srtcp: string;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const file = resolve(root, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora', 'vectors/srtp.json');

/** Empty when the corpora are not on this machine. */
export const vectors: readonly SrtpVector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];

export const NO_VECTORS = 'skipped: the SRTP vectors are not here; set PBXKIT_CORPORA';

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
