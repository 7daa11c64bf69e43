export { answerBinding, type BindingRequest, bindingRequest, readBindingRequest } from './binding.js';
export {
  type StunClientEffect,
  type StunClientOptions,
  StunClientTransaction,
  type StunOutcome,
  type StunTimes,
} from './client-transaction.js';
export { checkFingerprint, withFingerprint } from './fingerprint.js';
export { checkIntegrity, type IntegrityHash, longTermKey, withIntegrity } from './integrity.js';
export { readStunMessage, type StunAttribute, type StunClass, type StunMessage } from './message.js';
export { errorOf, mappedAddressOf, type StunError, softwareOf, unknownAttributesOf } from './read-attributes.js';
export { type BindingContent, writeBinding } from './write.js';
