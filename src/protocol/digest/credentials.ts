import { PbxkitError } from '../../base/errors.js';
import type { AuthValue } from '../sip/header/auth.js';
import { formatNonceCount } from './compute.js';
import { field, quotedField, tokenField } from './fields.js';

/** Digest credentials: a value of Authorization or Proxy-Authorization (RFC 7616 §3.4). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  /** As sent: the hash is over this text. */
  readonly uri: string;
  /** Hexadecimal. Empty where a client has no challenge yet (RFC 8760 §2.7). */
  readonly response: string;
  /** As sent; `MD5` when absent. */
  readonly algorithm: string;
  readonly cnonce?: string;
  readonly nc?: number;
  /** `nc` as sent: the hash is over this text. */
  readonly ncText?: string;
  /** As sent. */
  readonly qop?: string;
  readonly opaque?: string;
}

/** Digest credentials that break the grammar; the answer is 400. */
export class DigestParseError extends PbxkitError {
  readonly status = 400;
  /** The parameter at fault. */
  readonly parameter: string;

  constructor(parameter: string, problem: string) {
    super('DIGEST_PARSE', 'remote', `digest credentials: ${parameter} ${problem}`);
    this.parameter = parameter;
  }
}

/**
 * Reads credentials; undefined for another scheme.
 * @throws DigestParseError if a required parameter is missing, or `nc` is not eight hexadecimal digits
 */
export function parseCredentials(value: AuthValue): DigestCredentials | undefined {
  if (value.scheme.toLowerCase() !== 'digest') return undefined;
  const { params } = value;
  const required = (name: string): string => {
    const text = field(params, name);
    if (text === undefined) throw new DigestParseError(name, 'is missing');
    return text;
  };
  const qop = field(params, 'qop');
  const cnonce = field(params, 'cnonce');
  const ncText = field(params, 'nc');
  const opaque = field(params, 'opaque');
  if (ncText !== undefined && !isNonceCount(ncText))
    throw new DigestParseError('nc', 'is not eight hexadecimal digits');
  if (qop !== undefined && ncText === undefined) throw new DigestParseError('nc', 'is missing although qop is there');
  if (qop !== undefined && cnonce === undefined)
    throw new DigestParseError('cnonce', 'is missing although qop is there');
  return {
    username: required('username'),
    realm: required('realm'),
    nonce: required('nonce'),
    uri: required('uri'),
    response: required('response'),
    algorithm: field(params, 'algorithm') || 'MD5',
    ...(cnonce === undefined ? {} : { cnonce }),
    ...(ncText === undefined ? {} : { nc: Number.parseInt(ncText, 16), ncText }),
    ...(qop === undefined ? {} : { qop }),
    ...(opaque === undefined ? {} : { opaque }),
  };
}

function isNonceCount(text: string): boolean {
  return /^[0-9a-fA-F]{8}$/.test(text);
}

/**
 * The header text of credentials. `algorithm`, `qop` and `nc` stand without quotes (RFC 7616 §3.4).
 * @throws UsageError (PBX_INVALID_ARGUMENT) for a value that cannot stand in a header
 */
export function formatCredentials(credentials: DigestCredentials): string {
  const fields = [
    quotedField('username', credentials.username),
    quotedField('realm', credentials.realm),
    quotedField('nonce', credentials.nonce),
    quotedField('uri', credentials.uri),
    quotedField('response', credentials.response),
    tokenField('algorithm', credentials.algorithm),
  ];
  if (credentials.cnonce !== undefined) fields.push(quotedField('cnonce', credentials.cnonce));
  if (credentials.opaque !== undefined) fields.push(quotedField('opaque', credentials.opaque));
  if (credentials.qop !== undefined) fields.push(tokenField('qop', credentials.qop));
  const nc = credentials.ncText ?? (credentials.nc === undefined ? undefined : formatNonceCount(credentials.nc));
  if (nc !== undefined) fields.push(tokenField('nc', nc));
  return `Digest ${fields.join(', ')}`;
}
