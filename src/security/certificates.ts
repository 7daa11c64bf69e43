import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EpochMillis } from '../base/clock.js';
import { CertificateError, errorText } from '../base/errors.js';

/** A certificate, with its chain behind it, and its private key: text in PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says of itself. */
export interface CertificateInfo {
  /** As it stands in the certificate: `CN=office.example`. */
  readonly subject: string;
  readonly issuer: string;
  /** The subjectAltName: `URI:sip:office.example, DNS:office.example`; empty if there is none. */
  readonly altNames: string;
  readonly validFrom: EpochMillis;
  readonly validTo: EpochMillis;
  /** SHA-256, hexadecimal with colons: what `tls.pinned` takes. */
  readonly fingerprint: string;
}

/** A pair that cannot be used. */
export interface CertificateFault {
  readonly part: 'cert' | 'key';
  readonly found: string;
  readonly expected: string;
}

/** How long before its end a certificate is worth a warning, in milliseconds: 14 days. */
const WARN_MS = 14 * 86_400_000;

/**
 * Reads a certificate and its key from two files, or twice from one that holds both, and checks that they fit.
 * @throws CertificateError (PBX_CERTIFICATE_INVALID) naming the file and what is wrong with it
 */
export async function loadCertificate(files: {
  readonly cert: string;
  readonly key: string;
}): Promise<CertificatePair> {
  const pair = { cert: await read(files.cert), key: await read(files.key) };
  const fault = certificateFault(pair);
  if (fault === undefined) return pair;
  throw new CertificateError(`${files[fault.part]}: found ${fault.found}, expected ${fault.expected}`);
}

/** @throws CertificateError for a text that is no certificate */
export function describeCertificate(pem: string): CertificateInfo {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(`no certificate in PEM: ${errorText(cause)}`, { cause });
  }
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    altNames: certificate.subjectAltName ?? '',
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
  };
}

/** Why a certificate and a key cannot be used together; undefined if they can. Dates are no fault: see `expiryProblem`. */
export function certificateFault({ cert, key }: CertificatePair): CertificateFault | undefined {
  const expectedCert = 'a certificate in PEM (-----BEGIN CERTIFICATE-----)';
  const expectedKey = 'its private key in PEM, not encrypted (-----BEGIN PRIVATE KEY-----)';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return { part: 'cert', found: foundIn(cert), expected: expectedCert };
  }
  try {
    const fits = certificate.checkPrivateKey(createPrivateKey(key));
    return fits ? undefined : { part: 'key', found: 'the key of another certificate', expected: expectedKey };
  } catch {
    return { part: 'key', found: foundIn(key), expected: expectedKey };
  }
}

/** What is wrong with the dates of a certificate, or will be within 14 days; undefined if nothing. For logs. */
export function expiryProblem(pem: string, now: EpochMillis): string | undefined {
  const { subject, validFrom, validTo } = describeCertificate(pem);
  const day = (time: EpochMillis): string => new Date(time).toISOString().slice(0, 10);
  if (now > validTo) return `the certificate ${subject} expired on ${day(validTo)}: peers refuse it`;
  if (now < validFrom) return `the certificate ${subject} is not valid before ${day(validFrom)}: peers refuse it`;
  return validTo - now < WARN_MS ? `the certificate ${subject} expires on ${day(validTo)}` : undefined;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new CertificateError(`${file}: ${why}`, { cause });
  }
}

/** Names what a text is, and shows nothing of it: it may be a key. */
function foundIn(text: string): string {
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text.slice(0, 100_000))?.[1];
  if (label !== undefined) return `"${label}"`;
  return text.trim() === '' ? 'nothing' : 'text that is not PEM';
}
