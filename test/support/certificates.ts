import { type CertificateAuthority, createCertificateAuthority } from '../../src/security/certificate-authority.js';
import { WORLD_EPOCH_MS } from '../../src/testing/manual-clock.js';
import { SettableClock } from '../../src/testing/settable-clock.js';

/** An authority whose certificates are valid now. */
export function realAuthority(name = 'test authority'): Promise<CertificateAuthority> {
  return createCertificateAuthority({ name, keyType: 'ec' });
}

/** An authority whose certificates are valid in a virtual world. */
export function virtualAuthority(name = 'virtual authority'): Promise<CertificateAuthority> {
  return createCertificateAuthority({ name, keyType: 'ec', clock: new SettableClock(WORLD_EPOCH_MS) });
}
