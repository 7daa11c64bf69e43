export { type DigestChallenge, formatChallenge, parseChallenge } from './challenge.js';
export {
  algorithmStrength,
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  type DigestInput,
  type DigestSecret,
  digestResponse,
  equalHex,
  formatNonceCount,
  ha1,
  makeSecret,
  type NamedAlgorithm,
  namedAlgorithm,
} from './compute.js';
export { type DigestCredentials, DigestParseError, formatCredentials, parseCredentials } from './credentials.js';
