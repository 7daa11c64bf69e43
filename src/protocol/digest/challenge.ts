import type { AuthValue } from '../sip/header/auth.js';
import { field, quotedField, tokenField } from './fields.js';

export type { DigestAlgorithm } from './algorithm.js';

/** A digest challenge: a value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  /** As it was sent; `MD5` when absent. See `namedAlgorithm`. */
  readonly algorithm: string;
  /** In lower case, in order, unknown values included; empty: the legacy digest without qop (RFC 2069). */
  readonly qop: readonly string[];
  /** True: the digest was right and only the nonce is too old. Try again without asking the user. */
  readonly stale: boolean;
  readonly domain?: string;
}

/** Reads a challenge; undefined for another scheme, and for one without realm or nonce, which cannot be answered. */
export function parseChallenge(value: AuthValue): DigestChallenge | undefined {
  if (value.scheme.toLowerCase() !== 'digest') return undefined;
  const { params } = value;
  const realm = field(params, 'realm');
  const nonce = field(params, 'nonce');
  if (realm === undefined || nonce === undefined) return undefined;
  const opaque = field(params, 'opaque');
  const domain = field(params, 'domain');
  return {
    realm,
    nonce,
    algorithm: field(params, 'algorithm') || 'MD5',
    qop: (field(params, 'qop') ?? '')
      .toLowerCase()
      .split(',')
      .map((token) => token.trim())
      .filter((token) => token !== ''),
    stale: field(params, 'stale')?.toLowerCase() === 'true',
    ...(opaque === undefined ? {} : { opaque }),
    ...(domain === undefined ? {} : { domain }),
  };
}

/**
 * The header text of a challenge. `qop` is quoted, `algorithm` and `stale` are not (RFC 7616 §3.3).
 * @throws UsageError (PBX_INVALID_ARGUMENT) for a value that cannot stand in a header
 */
export function formatChallenge(challenge: DigestChallenge): string {
  const fields = [quotedField('realm', challenge.realm), quotedField('nonce', challenge.nonce)];
  if (challenge.domain !== undefined) fields.push(quotedField('domain', challenge.domain));
  if (challenge.opaque !== undefined) fields.push(quotedField('opaque', challenge.opaque));
  if (challenge.stale) fields.push('stale=true');
  fields.push(tokenField('algorithm', challenge.algorithm));
  if (challenge.qop.length > 0) fields.push(quotedField('qop', challenge.qop.join(',')));
  return `Digest ${fields.join(', ')}`;
}
