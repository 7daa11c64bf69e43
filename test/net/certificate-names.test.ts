import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SystemRandom } from '../../src/base/random.js';
import { type CertificateNames, certificateNames, isForDomain, sipDomains } from '../../src/net/certificate-names.js';
import { type AltName, writeCertificate } from '../../src/security/x509-writer.js';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A real certificate with those names, read back. */
async function names(altNames: readonly AltName[], subject = 'somebody'): Promise<CertificateNames> {
  const pem = await writeCertificate(
    {
      subject,
      issuer: subject,
      altNames,
      notBefore: 0,
      notAfter: 4_000_000_000_000,
      authority: false,
      publicKey: keys.publicKey,
      issuerPublicKey: keys.publicKey,
    },
    keys.privateKey,
    new SystemRandom(),
  );
  return certificateNames(new X509Certificate(pem));
}

const uri = (value: string): AltName => ({ type: 'uri', value });
const dns = (value: string): AltName => ({ type: 'dns', value });

describe('RFC 5922 §7.1: SIP identities in a certificate', () => {
  it.each([
    ['a sip URI', [uri('sip:office.example')], ['office.example']],
    ['the scheme in either case', [uri('SIP:Office.Example')], ['office.example']],
    [
      'a port and parameters are no part of the domain',
      [uri('sip:office.example:5061;transport=tls')],
      ['office.example'],
    ],
    ['an IPv6 host', [uri('sip:[2001:DB8::1]')], ['2001:db8::1']],
    ['a URI with a user is no domain', [uri('sip:alice@office.example')], []],
    ['another scheme is no identity', [uri('sips:office.example'), uri('https://office.example')], []],
    ['DNS names', [dns('a.example'), dns('B.example')], ['a.example', 'b.example']],
    ['DNS names do not count beside a sip URI', [dns('host.example'), uri('sip:office.example')], ['office.example']],
    ['DNS names count beside URIs that are no domain', [dns('a.example'), uri('sip:x@b.example')], ['a.example']],
  ])('%s', async (_name, altNames, domains) => {
    expect(sipDomains(await names(altNames, 'cn.example'))).toEqual(domains);
  });

  it('the CN counts only where there is no subjectAltName at all, and only as a DNS name', async () => {
    expect(sipDomains(await names([], 'CN.example'))).toEqual(['cn.example']);
    expect(sipDomains(await names([{ type: 'ip', value: '192.0.2.1' }], 'cn.example'))).toEqual([]);
    expect(sipDomains(await names([], '*.example'))).toEqual([]);
    expect(sipDomains(await names([], 'Office of Alice'))).toEqual([]);
    expect(sipDomains(await names([], 'good.example\0.evil.example'))).toEqual([]);
    expect(sipDomains(await names([], 'x\nCN=good.example'))).toEqual([]);
  });

  it('a value with a comma, a quote or a zero byte poses as no other (CVE-2021-44532)', async () => {
    for (const value of [
      'http://evil.example/, DNS:good.example',
      'x", URI:sip:good.example, DNS:"y',
      'sip:good.example\0.evil.example',
      'sip:evil.example\\", DNS:good.example',
    ]) {
      const hostile = await names([uri(value), dns('also.evil.example')]);
      expect(isForDomain(hostile, 'good.example'), value).toBe(false);
    }
    const hostile = await names([dns('good.example\0.evil.example')]);
    expect(isForDomain(hostile, 'good.example')).toBe(false);
    expect(hostile.dns).toEqual(['good.example\0.evil.example']);
  });

  it('text that cannot be taken apart proves nothing', () => {
    for (const text of ['DNS', 'DNS:"never closed', 'DNS:"a" and more, DNS:good.example', 'DNS:"bad \\q", DNS:x', '']) {
      const certificate = { subjectAltName: text, subject: 'CN=good.example' } as X509Certificate;
      expect(isForDomain(certificateNames(certificate), 'good.example'), text).toBe(false);
    }
  });
});

describe('RFC 5922 §7.2: comparing', () => {
  it('the whole name, letters in either case', async () => {
    const office = await names([dns('office.example')]);
    expect(isForDomain(office, 'OFFICE.example')).toBe(true);
    for (const other of ['example', 'sip.office.example', 'office.example.evil', 'xoffice.example', '']) {
      expect(isForDomain(office, other), other).toBe(false);
    }
  });

  it('no wildcard', async () => {
    const wild = await names([dns('*.office.example'), dns('.office.example')]);
    expect(isForDomain(wild, 'sip.office.example')).toBe(false);
    expect(isForDomain(wild, '*.office.example')).toBe(true);
  });

  it('an IP literal matches an iPAddress, in any spelling', async () => {
    const machine = await names([
      { type: 'ip', value: '192.0.2.1' },
      { type: 'ip', value: '2001:db8::1' },
      uri('sip:office.example'),
    ]);
    expect(isForDomain(machine, '192.0.2.1')).toBe(true);
    expect(isForDomain(machine, '[2001:DB8:0::1]')).toBe(true);
    expect(isForDomain(machine, '192.0.2.2')).toBe(false);
    expect(isForDomain(await names([dns('192.0.2.1')]), '192.0.2.2')).toBe(false);
  });
});

it('a certificate can be read whatever number it was given: DER forbids a zero byte too many (X.690 §8.3.2)', async () => {
  const content = {
    ...{ subject: 'a', issuer: 'a', altNames: [], notBefore: 0, notAfter: 4_000_000_000_000, authority: false },
    ...{ publicKey: keys.publicKey, issuerPublicKey: keys.publicKey },
  };
  for (const byte of ['00', '7f', '80', 'ff']) {
    const random = Object.assign(new SystemRandom(), { token: (bits = 128) => byte.repeat(bits / 8) });
    const pem = await writeCertificate(content, keys.privateKey, random);
    expect(new X509Certificate(pem).serialNumber).toMatch(/^4[0-9A-F]{31}$/);
  }
});
