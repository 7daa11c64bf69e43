import type { X509Certificate } from 'node:crypto';
import { ipVersion, normalizeHost } from '../base/ip.js';

/** The names that a certificate carries, as they stand in it. */
export interface CertificateNames {
  /** Whether there is a subjectAltName at all, of whatever type. */
  readonly hasAltNames: boolean;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly addresses: readonly string[];
  /** CN of the subject. */
  readonly commonNames: readonly string[];
}

/** The names in a certificate. What cannot be read with certainty is left out: it then proves nothing. */
export function certificateNames(certificate: X509Certificate): CertificateNames {
  const entries = altNames(certificate.subjectAltName ?? '');
  const of = (type: string): string[] => entries.filter((entry) => entry.type === type).map(({ value }) => value);
  return {
    hasAltNames: certificate.subjectAltName !== undefined,
    uris: of('URI'),
    dns: of('DNS'),
    addresses: of('IP Address').map(normalizeHost),
    commonNames: certificate.subject
      .split('\n')
      .filter((line) => line.startsWith('CN='))
      .map((line) => line.slice(3)),
  };
}

/**
 * The SIP domains that a certificate stands for (RFC 5922 §7.1): those of its `sip:` URIs without a user; if there are
 * none, its DNS names; if it has no subjectAltName, its CN.
 */
export function sipDomains(names: CertificateNames): readonly string[] {
  if (!names.hasAltNames) return names.commonNames.filter(isDnsName).map(normalizeHost);
  const uris = names.uris.map(domainOfUri).filter((domain) => domain !== undefined);
  return uris.length > 0 ? uris : names.dns.map(normalizeHost);
}

/**
 * Whether a certificate is for that domain (RFC 5922 §7.2): the whole name, letters in either case, no wildcard.
 *
 * Deviates: an IP literal also matches an iPAddress of the certificate, which §7.1 does not know; offices without a name
 * have nothing else.
 */
export function isForDomain(names: CertificateNames, domain: string): boolean {
  const wanted = normalizeHost(domain);
  if (ipVersion(wanted) !== 0 && names.addresses.includes(wanted)) return true;
  return sipDomains(names).includes(wanted);
}

/** The host of `sip:HOST`; undefined for another scheme, or where a user is named. */
function domainOfUri(uri: string): string | undefined {
  if (uri.slice(0, 4).toLowerCase() !== 'sip:' || uri.includes('@')) return undefined;
  const rest = uri.slice(4);
  const end = rest.startsWith('[') ? rest.indexOf(']') + 1 : indexOfAny(rest, ':;?');
  return normalizeHost(rest.slice(0, end));
}

function indexOfAny(text: string, stops: string): number {
  for (let i = 0; i < text.length; i++) if (stops.includes(text[i] as string)) return i;
  return text.length;
}

/** Letters, digits, hyphens and dots: no wildcard, no control character, no zero byte. */
function isDnsName(text: string): boolean {
  return text.length <= 253 && /^[a-zA-Z0-9.-]+$/.test(text);
}

interface AltName {
  readonly type: string;
  readonly value: string;
}

/**
 * Takes Node.js's text of a subjectAltName apart: `DNS:a.example, URI:sip:a.example`. A value with a comma, a quote or a
 * control character stands there as a JSON string; split naively, one such value could pose as several
 * (CVE-2021-44532).
 */
function altNames(text: string): AltName[] {
  const found: AltName[] = [];
  for (let at = 0; at < text.length; ) {
    const colon = text.indexOf(':', at);
    if (colon < 0) break;
    const type = text.slice(at, colon);
    const quoted = text[colon + 1] === '"';
    const end = quoted ? endOfString(text, colon + 1) : nextSeparator(text, colon + 1);
    if (end === undefined) break;
    const value = quoted ? unquote(text.slice(colon + 1, end)) : text.slice(colon + 1, end);
    if (value !== undefined) found.push({ type, value });
    if (end < text.length && text.slice(end, end + 2) !== ', ') break;
    at = end + 2;
  }
  return found;
}

function nextSeparator(text: string, from: number): number {
  const comma = text.indexOf(', ', from);
  return comma < 0 ? text.length : comma;
}

/** Behind the closing quote. */
function endOfString(text: string, open: number): number | undefined {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return undefined;
}

function unquote(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // unreadable: proves nothing
  }
}
