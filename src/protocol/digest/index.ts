export {
  algorithmStrength,
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  type NamedAlgorithm,
  namedAlgorithm,
} from './algorithm.js';
export { type DigestChallenge, formatChallenge, parseChallenge } from './challenge.js';
export {
  type DigestInput,
  type DigestSecret,
  digestResponse,
  equalHex,
  formatNonceCount,
  ha1,
  makeSecret,
} from './compute.js';
export { type DigestCredentials, DigestParseError, formatCredentials, parseCredentials } from './credentials.js';
