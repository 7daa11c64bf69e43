import { createHash, type KeyObject, sign } from 'node:crypto';
import type forge from 'node-forge';
import type { EpochMillis } from '../base/clock.js';
import type { Random } from '../base/random.js';

/** A name in a certificate's subjectAltName. */
export interface AltName {
  readonly type: 'uri' | 'dns' | 'ip';
  readonly value: string;
}

/** What a certificate says. */
export interface CertificateContent {
  /** CN of the subject. */
  readonly subject: string;
  /** CN of the issuer; its own subject for one that is signed by itself. */
  readonly issuer: string;
  readonly altNames: readonly AltName[];
  readonly notBefore: EpochMillis;
  readonly notAfter: EpochMillis;
  /** Whether it may sign others. */
  readonly authority: boolean;
  readonly publicKey: KeyObject;
  readonly issuerPublicKey: KeyObject;
}

const ALT_NAME_TYPES = { dns: 2, uri: 6, ip: 7 } as const;
const SHA256_RSA = '1.2.840.113549.1.1.11';
const SHA256_ECDSA = '1.2.840.10045.4.3.2';

/** Where the algorithm and the key stand in a TBSCertificate (RFC 5280 §4.1). */
const ALGORITHM_AT = 2;
const KEY_AT = 6;

/**
 * Writes and signs an X.509 certificate (RFC 5280), as PEM. node-forge writes the structure; keys and signatures are
 * node:crypto's, which is faster and knows elliptic curves, so the public key and the algorithm are put into forge's
 * structure afterwards.
 */
export async function writeCertificate(
  content: CertificateContent,
  issuerKey: KeyObject,
  random: Random,
): Promise<string> {
  // Loaded when first needed: a server with certificates of its own never does.
  const { asn1, pki, util, jsbn } = (await import('node-forge')).default;
  const certificate = pki.createCertificate();
  // The first digit keeps the number positive, and leaves no zero byte in front that DER forbids.
  certificate.serialNumber = `4${random.token(128).slice(1)}`;
  certificate.validity.notBefore = new Date(content.notBefore);
  certificate.validity.notAfter = new Date(content.notAfter);
  certificate.setSubject([{ name: 'commonName', value: content.subject }]);
  certificate.setIssuer([{ name: 'commonName', value: content.issuer }]);
  certificate.publicKey = pki.setRsaPublicKey(new jsbn.BigInteger('3'), new jsbn.BigInteger('3'));
  certificate.generateSubjectKeyIdentifier = () => util.createBuffer(keyIdentifier(content.publicKey));
  certificate.setExtensions([
    { name: 'basicConstraints', cA: content.authority, critical: true },
    content.authority
      ? { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true }
      : {
          name: 'keyUsage',
          critical: true,
          digitalSignature: true,
          keyEncipherment: content.publicKey.asymmetricKeyType === 'rsa',
        },
    ...(content.authority ? [] : [{ name: 'extKeyUsage', serverAuth: true, clientAuth: true }]),
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(content.issuerPublicKey) },
    ...(content.altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames: content.altNames.map(altName) }]),
  ]);

  const isRsa = issuerKey.asymmetricKeyType === 'rsa';
  const sequence = (value: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, value);
  const oid = asn1.oidToDer(isRsa ? SHA256_RSA : SHA256_ECDSA).getBytes();
  const algorithm = sequence([
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, oid),
    ...(isRsa ? [asn1.create(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, '')] : []),
  ]);
  certificate.signatureOid = SHA256_RSA;
  certificate.siginfo.algorithmOid = SHA256_RSA;
  certificate.signature = '';
  const [unsigned] = pki.certificateToAsn1(certificate).value as [forge.asn1.Asn1];
  const fields = [...(unsigned.value as forge.asn1.Asn1[])];
  fields[ALGORITHM_AT] = algorithm;
  fields[KEY_AT] = asn1.fromDer(binary(spkiOf(content.publicKey)));
  const body = sequence(fields);
  const signature = sign('sha256', Buffer.from(asn1.toDer(body).getBytes(), 'latin1'), issuerKey);
  const bits = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BITSTRING, false, `\0${binary(signature)}`);
  const der = Buffer.from(asn1.toDer(sequence([body, algorithm, bits])).getBytes(), 'latin1');
  return toPem(der);
}

function altName({ type, value }: AltName): { readonly type: number; readonly value?: string; readonly ip?: string } {
  return type === 'ip' ? { type: ALT_NAME_TYPES.ip, ip: value } : { type: ALT_NAME_TYPES[type], value };
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Any value that is the same for the same key (RFC 5280 §4.2.1.2). */
function keyIdentifier(key: KeyObject): string {
  return binary(createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20));
}

function binary(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
