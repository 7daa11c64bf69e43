/** The hash algorithms of digest in SIP (RFC 8760 §2.1), weakest first. */
export const DIGEST_ALGORITHMS = ['MD5', 'SHA-256', 'SHA-512-256'] as const;

/** A base algorithm; the `-sess` variants are this with `session: true`. */
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** What an `algorithm` parameter names. */
export interface NamedAlgorithm {
  readonly algorithm: DigestAlgorithm;
  /** True for `-sess`: HA1 is hashed again with nonce and cnonce (RFC 7616 §3.4.2). */
  readonly session: boolean;
}

/** Reads an `algorithm` parameter, whatever its case; undefined for one that we do not know. */
export function namedAlgorithm(text: string): NamedAlgorithm | undefined {
  const upper = text.toUpperCase();
  const session = upper.endsWith('-SESS');
  const base = session ? upper.slice(0, -5) : upper;
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === base);
  return algorithm === undefined ? undefined : { algorithm, session };
}

/** 0 for MD5, 1 for SHA-256, 2 for SHA-512-256. */
export function algorithmStrength(algorithm: DigestAlgorithm): number {
  return DIGEST_ALGORITHMS.indexOf(algorithm);
}
