import { describe, expect, test } from 'vitest';
import { isRejected, SrtpReceiver, SrtpSender } from '../../../src/protocol/srtp/context.js';
import { type CryptoAttribute, formatCryptoAttribute } from '../../../src/protocol/srtp/crypto-attribute.js';
import { acceptCryptoAnswer, answerCrypto, offerCrypto } from '../../../src/protocol/srtp/crypto-negotiation.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { rtp } from '../rtp/packets.js';
import { toHex } from './vectors.js';

const random = new SeededRandom('negotiation');
const written = (attributes: readonly CryptoAttribute[]): string[] => attributes.map(formatCryptoAttribute);

describe('RFC 4568 §5.1, §7.1: offer and answer', () => {
  test('§7.1.1: the best suite first, each line with a key of its own; the tag of 32 bits only when asked', () => {
    const offer = offerCrypto(random);
    expect(offer.map(({ tag, suite }) => [tag, suite])).toEqual([
      [1, 'AEAD_AES_128_GCM'],
      [2, 'AES_CM_128_HMAC_SHA1_80'],
    ]);
    const keys = [...offer, ...offerCrypto(random)].map(({ masterKey }) => toHex(masterKey.key));
    expect(new Set(keys).size).toBe(4);
    expect(offerCrypto(random, ['AES_CM_128_HMAC_SHA1_32'])).toMatchObject([
      { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_32' },
    ]);
  });

  test('both sides come to the same keys, and hear each other', () => {
    for (const offer of [offerCrypto(random), offerCrypto(random, ['AES_CM_128_HMAC_SHA1_32'])]) {
      const answerer = answerCrypto(written(offer), random);
      const offerer = answerer && acceptCryptoAnswer(offer, written([answerer.ours]));
      expect(offerer?.ours).toEqual(answerer?.theirs);
      expect(offerer?.theirs).toEqual(answerer?.ours);
      for (const [from, to] of [
        [offerer, answerer],
        [answerer, offerer],
      ] as const) {
        if (from === undefined || to === undefined) throw new Error('nothing was agreed upon');
        const sealed = new SrtpSender(from.ours).protect(rtp({ sequence: 1 }));
        if (isRejected(sealed)) throw new Error(sealed.why);
        expect(new SrtpReceiver(to.theirs).unprotect(sealed)).toEqual(Buffer.from(rtp({ sequence: 1 })));
        expect(new SrtpReceiver(from.theirs).unprotect(sealed)).toMatchObject({ why: 'authentication' });
      }
    }
  });

  test('§5.1.2: the first line that can be done is taken, with its tag; when there is none, nothing', () => {
    const [gcm, counter] = written(offerCrypto(random)) as [string, string];
    const unknown = counter.replace('AES_CM_128', 'AES_192_CM').replace('2 ', '7 ');
    const unwanted = `${gcm} UNENCRYPTED_SRTP`;
    expect(answerCrypto([unknown, unwanted, counter, gcm], random)?.ours).toMatchObject({
      tag: 2,
      suite: 'AES_CM_128_HMAC_SHA1_80',
    });
    expect(answerCrypto([unknown, unwanted], random)).toBeUndefined();
    expect(answerCrypto([], random)).toBeUndefined();
  });

  test('§5.1.3: an answer of two lines, with another tag or suite, or with parameters that we do not do, is none', () => {
    const offer = offerCrypto(random);
    const [gcm, counter] = written(offerCrypto(random)) as [string, string];
    expect(acceptCryptoAnswer(offer, [gcm])?.ours).toBe(offer[0]);
    expect(acceptCryptoAnswer(offer, [counter])?.ours).toBe(offer[1]);
    for (const answer of [
      [],
      [gcm, counter],
      [gcm.replace('1 ', '2 ')],
      [counter.replace('2 ', '3 ')],
      [`${gcm} KDR=1`],
    ]) {
      expect(acceptCryptoAnswer(offer, answer)).toBeUndefined();
    }
  });
});
