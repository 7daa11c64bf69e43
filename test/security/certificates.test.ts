import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../src/security/certificate-authority.js';
import {
  certificateFault,
  describeCertificate,
  expiryProblem,
  loadCertificate,
} from '../../src/security/certificates.js';
import { SettableClock } from '../../src/testing/settable-clock.js';
import { realAuthority } from '../support/certificates.js';

const folder = mkdtempSync(path.join(tmpdir(), 'pbxkit-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
};

describe('a certificate authority of one’s own', () => {
  it.each(['ec', 'rsa'] as const)('%s: it signs itself and what it issues; the names stand in it', async (keyType) => {
    const authority = await createCertificateAuthority({ name: 'The Office', keyType });
    const pair = await authority.issue({ names: ['office.example', 'sip:other.example', '192.0.2.1', '2001:db8::1'] });
    const [root, leaf] = [new X509Certificate(authority.cert), new X509Certificate(pair.cert)];
    expect(root.subject).toBe('CN=The Office');
    expect([root.ca, leaf.ca]).toEqual([true, false]);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.publicKey.asymmetricKeyType).toBe(keyType);
    expect(leaf.subject).toBe('CN=office.example');
    expect(leaf.subjectAltName).toBe(
      'URI:sip:office.example, DNS:office.example, URI:sip:other.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
    );
    expect(certificateFault(pair)).toBeUndefined();
  });

  it('certificates have serial numbers of their own, and dates by the clock given', async () => {
    const clock = new SettableClock(Date.UTC(2030, 0, 1));
    const authority = await createCertificateAuthority({ keyType: 'ec', clock });
    const [a, b] = await Promise.all([
      authority.issue({ names: ['a.example'], validDays: 10 }),
      authority.issue({ names: ['a.example'] }),
    ]);
    expect(new X509Certificate(a.cert).serialNumber).not.toBe(new X509Certificate(b.cert).serialNumber);
    expect(describeCertificate(a.cert)).toMatchObject({
      validFrom: Date.UTC(2029, 11, 31, 23),
      validTo: Date.UTC(2030, 0, 11),
    });
  });

  it.each([[[]], [['']], [['alice@office.example']], [['a b']], [['sip:a@b']], [['x\ny']]])(
    'names %j are refused',
    async (names) => {
      const authority = await realAuthority();
      await expect(authority.issue({ names })).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    },
  );
});

describe('certificates in files', () => {
  it('a pair is read; one file may hold both', async () => {
    const pair = await (await realAuthority()).issue({ names: ['office.example'] });
    const both = file('both.pem', pair.key + pair.cert);
    expect(await loadCertificate({ cert: file('c.pem', pair.cert), key: file('k.pem', pair.key) })).toEqual(pair);
    expect(await loadCertificate({ cert: both, key: both })).toEqual({
      cert: pair.key + pair.cert,
      key: pair.key + pair.cert,
    });
  });

  it('what is wrong is told with the file, and nothing of a key is shown', async () => {
    const authority = await realAuthority();
    const pair = await authority.issue({ names: ['office.example'] });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
    const cert = file('cert.pem', pair.cert);
    const key = file('key.pem', pair.key);
    const faults: readonly (readonly [{ cert: string; key: string }, RegExp])[] = [
      [{ cert: path.join(folder, 'none.pem'), key }, /none\.pem: there is no such file/],
      [{ cert: folder, key }, /it cannot be read \(EISDIR\)/],
      [{ cert: file('empty.pem', ''), key }, /empty\.pem: found nothing, expected a certificate in PEM/],
      [{ cert: file('text.pem', 'hello'), key }, /text\.pem: found text that is not PEM/],
      [{ cert: key, key }, /key\.pem: found "PRIVATE KEY", expected a certificate/],
      [{ cert, key: cert }, /cert\.pem: found "CERTIFICATE", expected its private key/],
      [
        { cert, key: file('secret.pem', encrypted.toString()) },
        /secret\.pem: found "ENCRYPTED PRIVATE KEY", expected .*not encrypted/,
      ],
      [{ cert, key: file('other.pem', authority.key) }, /other\.pem: found the key of another certificate/],
    ];
    for (const [files, message] of faults) {
      const error: unknown = await loadCertificate(files).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'PBX_CERTIFICATE_INVALID', message: expect.stringMatching(message) });
    }
  });
});

describe('dates', () => {
  it('expired, not valid yet and soon to expire are told with the date; a fresh one is not', async () => {
    const clock = new SettableClock(Date.UTC(2030, 0, 1));
    const authority = await createCertificateAuthority({ keyType: 'ec', clock });
    const { cert } = await authority.issue({ names: ['office.example'], validDays: 100 });
    expect(expiryProblem(cert, Date.UTC(2030, 0, 2))).toBeUndefined();
    expect(expiryProblem(cert, Date.UTC(2030, 3, 1))).toBe('the certificate CN=office.example expires on 2030-04-11');
    expect(expiryProblem(cert, Date.UTC(2030, 3, 12))).toMatch(/expired on 2030-04-11: peers refuse it/);
    expect(expiryProblem(cert, Date.UTC(2029, 0, 1))).toMatch(/not valid before 2029-12-31/);
  });
});
