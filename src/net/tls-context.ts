import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { CertificateError, errorText } from '../base/errors.js';
import { certificateNames, isForDomain } from './certificate-names.js';
import type { TlsIdentity, TlsSettings } from './tls-settings.js';

/** Versions before 1.2 are broken; renegotiation lets a client make us work, and nobody needs it. */
export const TLS_RULES = Object.freeze({
  minVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const);

/** The contexts of a listener: one for each certificate. */
export interface ServerContexts {
  readonly first: SecureContext;
  /** For a name that a client asked for; the first if no certificate is for it. */
  of(serverName: string): SecureContext;
}

/** @throws CertificateError */
export function serverContexts(settings: TlsSettings): ServerContexts {
  const known = (settings.certificates ?? []).map((identity, i) => {
    const context = contextOf(settings, identity, `certificates[${i}]`);
    return { context, certificate: leafOf(identity, `certificates[${i}]`) };
  });
  const first = known[0]?.context;
  if (first === undefined) throw new CertificateError('a TLS listener needs a certificate and its key');
  return {
    first,
    of: (serverName) => known.find(({ certificate }) => serves(certificate, serverName))?.context ?? first,
  };
}

/** @throws CertificateError */
export function clientContext(settings: TlsSettings): SecureContext {
  return contextOf(settings, settings.certificates?.[0], 'certificates[0]');
}

function contextOf(settings: TlsSettings, identity: TlsIdentity | undefined, what: string): SecureContext {
  const { trust } = settings;
  try {
    return createSecureContext({
      ...TLS_RULES,
      ...(identity === undefined ? {} : { cert: identity.cert, key: identity.key }),
      ...(trust === undefined ? {} : { ca: [...trust] }),
    });
  } catch (cause) {
    throw new CertificateError(`${what} cannot be used: ${errorText(cause)}`, { cause });
  }
}

function leafOf(identity: TlsIdentity, what: string): X509Certificate {
  try {
    return new X509Certificate(identity.cert);
  } catch (cause) {
    throw new CertificateError(`${what}.cert cannot be read: ${errorText(cause)}`, { cause });
  }
}

/** Which of our own to show is no question of trust: wildcards count here (`checkHost`), as they do for those who look at it. */
function serves(certificate: X509Certificate, serverName: string): boolean {
  return certificate.checkHost(serverName) !== undefined || isForDomain(certificateNames(certificate), serverName);
}
