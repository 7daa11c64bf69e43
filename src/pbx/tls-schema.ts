import * as v from 'valibot';
import type { TlsSettings } from '../net/tls-settings.js';
import { certificateFault } from '../security/certificates.js';
import type { TlsOptions } from './options.js';

const PAIR =
  'a certificate and its key, such as { "cert": "-----BEGIN CERTIFICATE-----…", "key": "-----BEGIN PRIVATE KEY-----…" }';
const TRUST = 'a certificate in PEM';
const PIN = 'a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons';

const pair = v.pipe(
  v.strictObject({ cert: v.string('text in PEM'), key: v.string('text in PEM') }, PAIR),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const fault = certificateFault(dataset.value);
    if (fault === undefined) return;
    const input: Record<string, unknown> = { ...dataset.value };
    const { part } = fault;
    addIssue({
      message: `${fault.expected}, not ${fault.found}`,
      input: input[part],
      path: [{ type: 'object', origin: 'value', input, key: part, value: input[part] }],
    });
  }),
);
const authority = v.pipe(
  v.string(TRUST),
  v.check((text) => text.includes('-----BEGIN CERTIFICATE-----'), TRUST),
);

/** The options of TLS. Whether a certificate is needed depends on `listen`. */
export const tlsSchema = v.strictObject(
  {
    certificate: v.optional(
      v.lazy((input) =>
        Array.isArray(input) ? v.pipe(v.array(pair), v.minLength(1, 'at least one certificate')) : pair,
      ),
    ),
    trust: v.optional(v.lazy((input) => (Array.isArray(input) ? v.array(authority) : authority))),
    pinned: v.optional(
      v.array(
        v.pipe(
          v.string(PIN),
          v.check((text) => /^[0-9a-fA-F]{64}$/.test(text.replaceAll(':', '')), PIN),
        ),
        'a list of fingerprints',
      ),
    ),
    clientCertificates: v.optional(v.picklist(['none', 'request', 'require'], '"none", "request" or "require"')),
    verifyServers: v.optional(v.boolean('true or false')),
  },
  'options such as { "certificate": { "cert": "…", "key": "…" } }',
);

/** What the transport takes. */
export function tlsSettings({ certificate, trust, ...others }: TlsOptions): TlsSettings {
  return {
    ...others,
    ...(certificate === undefined ? {} : { certificates: listOf(certificate) }),
    ...(trust === undefined ? {} : { trust: listOf(trust) }),
  };
}

function listOf<T extends object | string>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
