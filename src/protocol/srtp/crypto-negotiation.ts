import type { Random } from '../../base/random.js';
import { type CryptoAttribute, readCryptoAttribute } from './crypto-attribute.js';
import { OFFERED_SUITES, type SrtpSuiteName, srtpSuite } from './suite.js';

/** What both sides of a stream protect their packets with: our key for what we send, theirs for what we receive. */
export interface AgreedCrypto {
  readonly ours: CryptoAttribute;
  readonly theirs: CryptoAttribute;
}

/** The `a=crypto` lines of an offer, best first, each with a fresh key (RFC 4568 §7.1.1). */
export function offerCrypto(random: Random, suites: readonly SrtpSuiteName[] = OFFERED_SUITES): CryptoAttribute[] {
  return suites.map((suite, i) => freshKey(random, i + 1, suite));
}

/**
 * Answers the `a=crypto` lines of a stream, given without `crypto:`: the first one that we can do, with its tag and suite and a key of our own
 * (RFC 4568 §5.1.2, §7.1.2). Undefined: there is none, and the stream has to be rejected.
 */
export function answerCrypto(offered: readonly string[], random: Random): AgreedCrypto | undefined {
  for (const line of offered) {
    const reading = readCryptoAttribute(line);
    if (reading.kind === 'refused') continue;
    const { tag, suite } = reading.attribute;
    return { ours: freshKey(random, tag, suite), theirs: reading.attribute };
  }
  return undefined;
}

/**
 * Takes the answer to lines that we have offered: exactly one, with tag and suite of one of ours (RFC 4568 §5.1.3). Undefined: it is not, and the
 * stream must not be used.
 */
export function acceptCryptoAnswer(
  offered: readonly CryptoAttribute[],
  answered: readonly string[],
): AgreedCrypto | undefined {
  const [line, ...more] = answered;
  if (line === undefined || more.length > 0) return undefined;
  const reading = readCryptoAttribute(line);
  if (reading.kind === 'refused') return undefined;
  const { tag, suite } = reading.attribute;
  const ours = offered.find((each) => each.tag === tag && each.suite === suite);
  return ours === undefined ? undefined : { ours, theirs: reading.attribute };
}

function freshKey(random: Random, tag: number, suite: SrtpSuiteName): CryptoAttribute {
  const { keyBytes, saltBytes } = srtpSuite(suite);
  return { tag, suite, masterKey: { key: random.bytes(keyBytes), salt: random.bytes(saltBytes) } };
}
