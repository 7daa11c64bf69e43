export { decodeBody, encodeBody } from './body-text.js';
export { formatAuth } from './header/auth.js';
export { formatReplaces, parseReplaces } from './header/dialog-id.js';
export { canonicalName } from './header/lookup.js';
export { formatMediaType, isMediaType, parseMediaType } from './header/media-type.js';
export type {
  AuthValue,
  ContactValue,
  CSeq,
  DeltaWithParams,
  EventValue,
  HeaderValues,
  InfoUri,
  MediaType,
  RAck,
  Reason,
  ReferSub,
  Replaces,
  RetryAfter,
  SubscriptionState,
  TargetDialog,
  Timestamp,
  TokenWithParams,
  Via,
  Warning,
} from './header/registry.js';
export { CODECS, type HeaderName } from './header/registry.js';
export { formatVia } from './header/via.js';
export { type HeaderInit, SipHeaders } from './headers.js';
export { createRequest, createResponse, type SipMessage, SipRequest, SipResponse } from './message.js';
export { isMethod, METHODS, type Method } from './method.js';
export { type Part, parseMultipart, printMultipart } from './multipart.js';
export { formatNameAddr, type NameAddr, parseNameAddr, parseNameAddrList, tagOf, withTag } from './name-addr.js';
export { getParam, hasParam, type Param, type Params, quote, unquote, withoutParam, withParam } from './params.js';
export { type ParseLimits, parseMessage, partialRequest } from './parse.js';
export { type PartialMessage, SipParseError } from './parse-error.js';
export { printMessage } from './print.js';
export { type ResponseOptions, responseTo } from './respond.js';
export { salvageTopVia } from './salvage.js';
export { reasonPhrase } from './status.js';
export { type Frame, type FramerLimits, StreamFramer } from './stream-framer.js';
export {
  aorOf,
  digitsOf,
  equalUris,
  formatUri,
  isHost,
  type OtherUri,
  parseUri,
  type SipUri,
  sipUri,
  type TelUri,
  type Uri,
} from './uri.js';
export { escapeUriHeader, escapeUriParam, escapeUser, unescapeUriText } from './uri-escape.js';
export { checkRequest, checkResponse, type SipFault } from './validate.js';
