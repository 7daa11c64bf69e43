import { isDeepStrictEqual } from 'node:util';
import { SrtpReceiver } from '../../../src/protocol/srtp/context.js';
import { formatCryptoAttribute, readCryptoAttribute } from '../../../src/protocol/srtp/crypto-attribute.js';
import { acceptCryptoAnswer, answerCrypto, offerCrypto } from '../../../src/protocol/srtp/crypto-negotiation.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { type FuzzTarget, hold, isOneLine, textsOf } from './target.js';

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const GCM_KEY = 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHA==';

const SEEDS = [
  `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`,
  `2 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|2^48 WSH=64`,
  `999999999 AEAD_AES_128_GCM inline:${GCM_KEY}|1048576 -x=1`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|123:128 KDR=1 UNENCRYPTED_SRTP`,
  `1 F8_128_HMAC_SHA1_80 inline:${KEY};inline:${KEY}|2^20|1:4 FEC_ORDER=FEC_SRTP`,
].map((text) => Buffer.from(text));

const WORDS = [
  'inline:',
  '|',
  '2^',
  '2^48',
  ':',
  ';',
  '|1:4',
  '|2^31',
  'AES_CM_128_HMAC_SHA1_80 ',
  'AEAD_AES_128_GCM ',
  '==',
  '-',
  ' WSH=128',
  KEY,
].map((text) => Buffer.from(text));

const OFFERED = offerCrypto(new SeededRandom('offer'));

/** `a=crypto` lines: accepted or refused; what is accepted is written and read again the same, and makes a context (RFC 4568 §9). */
export const sdesTarget: FuzzTarget = {
  name: 'sdes',
  share: 30,
  material: { seeds: SEEDS, words: WORDS, lines: false },
  check(input) {
    for (const text of textsOf(input)) {
      const reading = readCryptoAttribute(text);
      const answer = answerCrypto([text], new SeededRandom(1));
      hold((answer === undefined) === (reading.kind === 'refused'), 'what is accepted is answered');
      const accepted = acceptCryptoAnswer(OFFERED, [text]);
      hold(accepted === undefined || reading.kind === 'accepted', 'and nothing else is an answer');
      if (reading.kind === 'refused') continue;
      const { attribute } = reading;
      const printed = formatCryptoAttribute(attribute);
      hold(isOneLine(printed), 'it is printed as one line');
      const again = readCryptoAttribute(printed);
      hold(again.kind === 'accepted' && isDeepStrictEqual(again.attribute, attribute), 'and read as it was');
      new SrtpReceiver(attribute).unprotect(input);
    }
  },
};
