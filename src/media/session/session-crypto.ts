import { attributesOf } from '../../protocol/sdp/attributes.js';
import type { SdpSection } from '../../protocol/sdp/lines.js';
import {
  type CryptoAttribute,
  formatCryptoAttribute,
  readCryptoAttribute,
} from '../../protocol/srtp/crypto-attribute.js';
import { type AgreedCrypto, acceptCryptoAnswer } from '../../protocol/srtp/crypto-negotiation.js';

/** The values of the `a=crypto` lines of a stream (RFC 4568 §4), in order. */
export function cryptoValues(section: SdpSection): readonly string[] {
  return attributesOf(section)
    .filter(({ name }) => name === 'crypto')
    .map(({ value = '' }) => value);
}

/** Of these lines those that we can accept. */
export function acceptableCrypto(section: SdpSection): readonly CryptoAttribute[] {
  const readings = cryptoValues(section).map(readCryptoAttribute);
  return readings.flatMap((reading) => (reading.kind === 'accepted' ? [reading.attribute] : []));
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
  if (answer === 'remote') return acceptCryptoAnswer(acceptableCrypto(local), cryptoValues(remote));
  const answered = acceptCryptoAnswer(acceptableCrypto(remote), cryptoValues(local));
  return answered === undefined ? undefined : { ours: answered.theirs, theirs: answered.ours };
}

/** Whether two attributes are the same key of the same suite. */
export function sameKey(a: CryptoAttribute | undefined, b: CryptoAttribute | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.suite === b.suite && equal(a.masterKey.key, b.masterKey.key) && equal(a.masterKey.salt, b.masterKey.salt);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
