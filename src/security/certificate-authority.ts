import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { type Random, SystemRandom } from '../base/random.js';
import type { CertificatePair } from './certificates.js';
import { type AltName, writeCertificate } from './x509-writer.js';

/** `rsa`: 2048 bits, which every phone knows; made in a quarter of a second. `ec`: P-256, made at once. */
export type KeyType = 'rsa' | 'ec';

export interface AuthorityOptions {
  /** Its name as phones show it. Default `pbxkit test authority`. */
  readonly name?: string;
  /** Default 3650. */
  readonly validDays?: number;
  /** Also of the certificates that it issues, unless they say otherwise. Default `rsa`. */
  readonly keyType?: KeyType;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** For serial numbers; keys are the system's business. Default: the system's. */
  readonly random?: Random;
}

export interface IssueOptions {
  /**
   * Whom the certificate is for, at least one: host names or domains, IP addresses, `sip:` URIs. A name stands in it as
   * `sip:` URI and as DNS name, because phones look at either (RFC 5922 §7.1).
   */
  readonly names: readonly string[];
  /** Default 397. */
  readonly validDays?: number;
  readonly keyType?: KeyType;
}

/** A certificate authority of one's own: for laboratories, tests, and offices whose phones all know it. */
export interface CertificateAuthority {
  /** Its certificate, PEM: what phones must be given to trust. */
  readonly cert: string;
  /** Its private key, PEM. Whoever has it can pose as any server. */
  readonly key: string;
  /** A certificate for a server or a client, with a key of its own. @throws UsageError PBX_INVALID_ARGUMENT */
  issue(options: IssueOptions): Promise<CertificatePair>;
}

const DAY_MS = 86_400_000;
/** Clocks of phones are often behind. */
const EARLY_MS = 3_600_000;
const generate = promisify(generateKeyPair);

/** Makes an authority with a certificate that it signs itself. */
export async function createCertificateAuthority(options: AuthorityOptions = {}): Promise<CertificateAuthority> {
  const { name = 'pbxkit test authority', validDays = 3650, keyType = 'rsa' } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? new SystemRandom();
  const own = await newKeys(keyType);
  const dates = (days: number) => {
    const now = clock.wallTime();
    return { notBefore: now - EARLY_MS, notAfter: now + days * DAY_MS };
  };
  const cert = await writeCertificate(
    {
      subject: name,
      issuer: name,
      altNames: [],
      ...dates(validDays),
      authority: true,
      publicKey: own.publicKey,
      issuerPublicKey: own.publicKey,
    },
    own.privateKey,
    random,
  );
  return {
    cert,
    key: pemOf(own.privateKey),
    issue: async (issue) => {
      const altNames = issue.names.flatMap(altNamesOf);
      const subject = issue.names[0];
      if (subject === undefined)
        throw new UsageError('PBX_INVALID_ARGUMENT', 'names: found none, expected a name such as "office.example"');
      const keys = await newKeys(issue.keyType ?? keyType);
      const certificate = await writeCertificate(
        {
          subject: subject.replace(/^sip:/i, '').slice(0, 64),
          issuer: name,
          altNames,
          ...dates(issue.validDays ?? 397),
          authority: false,
          publicKey: keys.publicKey,
          issuerPublicKey: own.publicKey,
        },
        own.privateKey,
        random,
      );
      return { cert: certificate, key: pemOf(keys.privateKey) };
    },
  };
}

/** @throws UsageError for a text that is no name, address or `sip:` URI */
function altNamesOf(name: string): readonly AltName[] {
  if (/^sip:[^@\s]+$/i.test(name)) return [{ type: 'uri', value: name }];
  const host = normalizeHost(name);
  if (ipVersion(host) !== 0) return [{ type: 'ip', value: host }];
  if (name.length <= 253 && /^[a-zA-Z0-9.-]+$/.test(name)) {
    return [
      { type: 'uri', value: `sip:${name}` },
      { type: 'dns', value: name },
    ];
  }
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `names: found ${JSON.stringify(name.slice(0, 80))}, expected a host name, an IP address or a URI such as "sip:office.example"`,
  );
}

function newKeys(type: KeyType): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  return type === 'ec' ? generate('ec', { namedCurve: 'P-256' }) : generate('rsa', { modulusLength: 2048 });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
