import type { Random } from '../../base/random.js';
import { attributesOf } from '../../protocol/sdp/attributes.js';
import type { SdpSection } from '../../protocol/sdp/lines.js';
import {
  type CryptoAttribute,
  formatCryptoAttribute,
  readCryptoAttribute,
} from '../../protocol/srtp/crypto-attribute.js';
import { OFFERED_SUITES, type SrtpSuiteName, srtpSuite } from '../../protocol/srtp/suite.js';

/** The two keys of a stream: each side has chosen that of what it sends (RFC 4568 §5.1). */
export interface AgreedCrypto {
  readonly local: CryptoAttribute;
  readonly remote: CryptoAttribute;
}

/** Keys to offer, one for each suite. */
export function newCryptoOffer(random: Random): readonly CryptoAttribute[] {
  return OFFERED_SUITES.map((suite, i) => newCrypto(i + 1, suite, random));
}

/** A fresh key. */
export function newCrypto(tag: number, suite: SrtpSuiteName, random: Random): CryptoAttribute {
  const { keyBytes, saltBytes } = srtpSuite(suite);
  return { tag, suite, masterKey: { key: random.bytes(keyBytes), salt: random.bytes(saltBytes) } };
}

/** The lines of a description that we can accept (RFC 4568 §5.1.2), in its order. */
export function acceptableCrypto(section: SdpSection): readonly CryptoAttribute[] {
  const accepted: CryptoAttribute[] = [];
  for (const { name, value } of attributesOf(section)) {
    if (name !== 'crypto' || value === undefined) continue;
    const reading = readCryptoAttribute(value);
    if (reading.kind === 'accepted') accepted.push(reading.attribute);
  }
  return accepted;
}

/** As `a=` lines. */
export function cryptoLines(attributes: readonly CryptoAttribute[]): { name: string; value: string }[] {
  return attributes.map((attribute) => ({ name: 'crypto', value: formatCryptoAttribute(attribute) }));
}

/** What two descriptions have come to: the answer names one line of the offer by its tag. Undefined if it does not. */
export function agreedCrypto(
  local: SdpSection,
  remote: SdpSection,
  answer: 'local' | 'remote',
): AgreedCrypto | undefined {
  const ours = acceptableCrypto(local);
  const theirs = acceptableCrypto(remote);
  const chosen = (answer === 'local' ? ours : theirs)[0];
  const offered = (answer === 'local' ? theirs : ours).find(
    ({ tag, suite }) => tag === chosen?.tag && suite === chosen.suite,
  );
  if (chosen === undefined || offered === undefined) return undefined;
  return answer === 'local' ? { local: chosen, remote: offered } : { local: offered, remote: chosen };
}

/** Whether two attributes are the same key of the same suite. */
export function sameKey(a: CryptoAttribute | undefined, b: CryptoAttribute | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.suite === b.suite && equal(a.masterKey.key, b.masterKey.key) && equal(a.masterKey.salt, b.masterKey.salt);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
