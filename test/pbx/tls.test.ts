import { beforeAll, describe, expect, test } from 'vitest';
import { PbxConfigError } from '../../src/pbx/config-error.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx } from '../../src/pbx/pbx.js';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import type { CertificatePair } from '../../src/security/certificates.js';
import { createWorld } from '../../src/testing/world.js';
import { virtualAuthority } from '../support/certificates.js';

let authority: CertificateAuthority;
let pair: CertificatePair;
let other: CertificatePair;

beforeAll(async () => {
  authority = await virtualAuthority();
  pair = await authority.issue({ names: ['office.test', '192.0.2.1'], validDays: 30 });
  other = await authority.issue({ names: ['other.test'] });
});

function problems(options: object): readonly string[] {
  try {
    createPbx({ domain: 'office.test', ...options } as PbxOptions);
    return [];
  } catch (error) {
    if (!(error instanceof PbxConfigError)) throw error;
    return error.message.split('\n');
  }
}

describe('the option tls', () => {
  test('a tls:// address needs a certificate; without such an address none is needed', () => {
    expect(problems({ listen: ['udp://0.0.0.0:5060', 'tls://0.0.0.0:5061'] })).toEqual([
      'listen[1]: found "tls://0.0.0.0:5061", expected a certificate and its key in tls.certificate beside it',
    ]);
    expect(problems({ listen: ['tls://0.0.0.0:5061'], tls: { certificate: pair } })).toEqual([]);
    expect(problems({ tls: { trust: authority.cert } })).toEqual([]);
    expect(
      problems({ tls: { certificate: [pair, other], trust: [authority.cert], pinned: ['ab'.repeat(32)] } }),
    ).toEqual([]);
  });

  test('what cannot be used is told with its path, and of a key nothing is shown', () => {
    const wrong = problems({ tls: { certificate: [pair, { cert: pair.cert, key: other.key }] } });
    expect(wrong).toEqual([
      expect.stringMatching(
        /^tls\.certificate\[1\]\.key: found a text of \d+ characters, expected its private key in PEM, .*, not the key of another certificate$/,
      ),
    ]);
    expect(problems({ tls: { certificate: { cert: './cert.pem', key: pair.key } } })).toEqual([
      'tls.certificate.cert: found "./cert.pem", expected a certificate in PEM (-----BEGIN CERTIFICATE-----), not text that is not PEM',
    ]);
    expect(problems({ tls: { certificate: { cert: pair.cert } } })).toEqual([
      'tls.certificate.key: found nothing, expected a value',
    ]);
    expect(problems({ tls: { certificate: { ...pair, kay: 1 } } })).toEqual([
      'tls.certificate.kay: found an option that does not exist, expected "key"',
    ]);
    expect(problems({ tls: { pined: [] } })).toEqual([
      'tls.pined: found an option that does not exist, expected "pinned"',
    ]);
    expect(problems({ tls: { pinned: ['AA:BB'] } })).toEqual([
      expect.stringContaining('tls.pinned[0]: found "AA:BB", expected a SHA-256 fingerprint'),
    ]);
    expect(problems({ tls: { trust: 'ca.pem' } })).toEqual([
      'tls.trust: found "ca.pem", expected a certificate in PEM',
    ]);
    expect(problems({ tls: { clientCertificates: 'maybe' } })).toEqual([
      'tls.clientCertificates: found "maybe", expected "none", "request" or "require"',
    ]);
    expect(problems({ tls: { certificate: { cert: pair.cert, key: other.cert } } }).join()).not.toContain('BEGIN CERT');
  });
});

describe('certificates of a running PBX', () => {
  async function running(options: Partial<PbxOptions>) {
    const world = createWorld({ seed: 3 });
    const pbx = world.use(
      createPbx({
        domain: 'office.test',
        listen: ['tls://192.0.2.1:5061'],
        tls: { certificate: pair },
        ...world.ports,
        ...options,
      }),
    );
    await world.run(() => pbx.start());
    return { world, pbx };
  }
  const warnings = (world: ReturnType<typeof createWorld>): string => world.log.format('warn');

  test('it listens, and warns daily from 14 days before the end', async () => {
    const { world, pbx } = await running({});
    expect(pbx.listening).toEqual([{ protocol: 'tls', local: { address: '192.0.2.1', port: 5061 } }]);
    await world.advance({ minutes: 15 * 24 * 60 });
    expect(warnings(world)).toBe('');
    await world.advance({ minutes: 3 * 24 * 60 });
    expect(warnings(world).match(/the certificate CN=office\.test expires on 2026-01-31/g)).toHaveLength(2);
    await world.advance({ minutes: 13 * 24 * 60 });
    expect(warnings(world)).toContain('expired on 2026-01-31: peers refuse it');
    await world.close();
    expect(world.leaks()).toEqual([]);
  });

  test('reconfigure takes a renewed one, all or nothing', async () => {
    const { world, pbx } = await running({});
    const renewed = await authority.issue({ names: ['192.0.2.1'] });
    const peer = world.host('peer', '192.0.2.20');
    const names = async (): Promise<readonly string[] | undefined> => {
      const connection = peer.host.connectTls({
        remote: { address: '192.0.2.1', port: 5061 },
        name: '192.0.2.1',
        timeoutMs: 5_000,
        tls: { trust: [authority.cert] },
      });
      connection.handle({ onData: () => {}, onClose: () => {} });
      await world.advance({ seconds: 1 });
      const { peer: shown } = connection.session ?? {};
      connection.destroy();
      return shown?.dns;
    };
    expect(await names()).toEqual(['office.test']);
    pbx.reconfigure({ tls: { certificate: renewed } });
    expect(await names()).toEqual([]);
    expect(() => pbx.reconfigure({ tls: { certificate: { cert: pair.cert, key: other.key } } })).toThrow(
      'tls.certificate.key',
    );
    expect(() => pbx.reconfigure({ tls: {}, calls: { maxCalls: 1 } })).toThrow('needs a certificate');
    expect(await names()).toEqual([]);
    await world.close();
    expect(world.leaks()).toEqual([]);
  });
});
