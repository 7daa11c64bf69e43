export {
  isRejected,
  packetIndex,
  type SrtpContextOptions,
  type SrtpFault,
  SrtpReceiver,
  type SrtpRejection,
  SrtpSender,
} from './context.js';
export {
  type CryptoAttribute,
  type CryptoProblem,
  type CryptoReading,
  formatCryptoAttribute,
  readCryptoAttribute,
  type SrtpMasterKey,
} from './crypto-attribute.js';
export { type AgreedCrypto, acceptCryptoAnswer, answerCrypto, offerCrypto } from './crypto-negotiation.js';
export { deriveKey, type SessionKeys, sessionKeys } from './key-derivation.js';
export { OFFERED_SUITES, type SrtpSuite, type SrtpSuiteName, srtpSuite } from './suite.js';
