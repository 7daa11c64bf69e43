import { hash } from 'node:crypto';
import { UsageError } from '../../base/errors.js';
import { sameSecret } from '../../base/same-secret.js';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, namedAlgorithm } from './algorithm.js';

/**
 * H(username:realm:password) in hexadecimal (RFC 7616 §3.4.2), over UTF-8. This stands for the password: keep it as secret.
 * @throws UsageError (PBX_INVALID_ARGUMENT) where the OpenSSL of this process refuses the algorithm (MD5 in FIPS mode)
 */
export function ha1(algorithm: DigestAlgorithm, username: string, realm: string, password: string): string {
  return hexHash(algorithm, `${username}:${realm}:${password}`);
}

/** What a directory keeps of a password: its HA1 values. They are as good as the password within the realm. */
export interface DigestSecret {
  readonly username: string;
  /** The realm that the values are bound to. */
  readonly realm: string;
  /** Hexadecimal, by algorithm. */
  readonly ha1: Readonly<Partial<Record<DigestAlgorithm, string>>>;
}

/** The HA1 values of a password; the password itself is not kept. Default: all three algorithms. */
export function makeSecret(options: {
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly algorithms?: readonly DigestAlgorithm[];
}): DigestSecret {
  const { username, realm, password, algorithms = DIGEST_ALGORITHMS } = options;
  const values: Partial<Record<DigestAlgorithm, string>> = {};
  for (const algorithm of algorithms) values[algorithm] = ha1(algorithm, username, realm, password);
  return { username, realm, ha1: values };
}

export interface DigestInput {
  /** The `algorithm` parameter, `-sess` included. */
  readonly algorithm: string;
  /** For the base algorithm; hexadecimal. */
  readonly ha1: string;
  readonly nonce: string;
  /** The count, or its text as it was received. Needed with `qop`. */
  readonly nc?: number | string | undefined;
  /** Needed with `qop`, and for `-sess`. */
  readonly cnonce?: string | undefined;
  /** Absent: the legacy digest of RFC 2069. */
  readonly qop?: string | undefined;
  readonly method: string;
  /** The `uri` parameter as it stands in the credentials. */
  readonly uri: string;
  /** For `auth-int`; default empty. */
  readonly body?: Uint8Array | undefined;
}

/**
 * The `response` of digest credentials in lower-case hexadecimal (RFC 7616 §3.4.1, RFC 8760 §2.6; without qop RFC 2617
 * §3.2.2.1).
 * @throws UsageError (PBX_INVALID_ARGUMENT) for an unknown algorithm
 */
export function digestResponse(input: DigestInput): string {
  const named = namedAlgorithm(input.algorithm);
  if (named === undefined) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      `digest algorithm: found ${input.algorithm}, expected one of ${DIGEST_ALGORITHMS.join(', ')}`,
    );
  }
  const { algorithm, session } = named;
  const { nonce, cnonce = '', qop } = input;
  const a1 = session ? hexHash(algorithm, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  let a2 = `${input.method}:${input.uri}`;
  if (qop?.toLowerCase() === 'auth-int') a2 += `:${hexHash(algorithm, input.body ?? '')}`;
  const ha2 = hexHash(algorithm, a2);
  if (qop === undefined) return hexHash(algorithm, `${a1}:${nonce}:${ha2}`);
  const nc = typeof input.nc === 'string' ? input.nc : formatNonceCount(input.nc ?? 1);
  return hexHash(algorithm, `${a1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`);
}

/** Eight hexadecimal digits. */
export function formatNonceCount(count: number): string {
  return count.toString(16).padStart(8, '0');
}

/** Whether two hexadecimal texts are equal, in a time that does not tell where they differ; the case of letters counts not. */
export function equalHex(a: string, b: string): boolean {
  return sameSecret(a.toLowerCase(), b.toLowerCase());
}

function hexHash(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  try {
    return hash(OPENSSL_NAMES[algorithm], data, 'hex');
  } catch (cause) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `this Node.js cannot compute ${algorithm}; a FIPS build has no MD5`, {
      cause,
    });
  }
}

const OPENSSL_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};
