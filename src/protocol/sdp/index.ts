export {
  type AnswerCapabilities,
  answerAgain,
  answerTo,
  type CodecCapability,
  fitAnswer,
  type MediaCapability,
} from './answer.js';
export {
  attribute,
  attributesOf,
  codecsOf,
  parseAttribute,
  type SdpAttribute,
  type SdpCodec,
  sameCodec,
} from './attributes.js';
export { AUDIO_FORMAT_NAMES, audioFormatsToOffer, hasAudio, withAudioFormats } from './audio-formats.js';
export {
  BASIC_AUDIO,
  createMedia,
  createOrigin,
  createSdp,
  type OfferedCodec,
  type SdpMediaOptions,
  type SdpOptions,
  type SdpOriginOptions,
} from './create.js';
export { answerDirection, reverseDirection, type SdpDirection } from './direction.js';
export {
  bumpVersion,
  continueFrom,
  padMedia,
  rejectMedia,
  sameDescription,
  withAttribute,
  withConnection,
  withDirection,
  withMediaLine,
  withOrigin,
} from './edit.js';
export type { SdpConnection, SdpMediaLine, SdpOrigin } from './fields.js';
export { holdOffer, resumeOffer } from './hold.js';
export { parseSdp, printSdp, type Sdp, type SdpLine, type SdpSection, sdpText } from './lines.js';
export {
  directionOf,
  hasActiveMedia,
  isHold,
  mediaSummary,
  originOf,
  type SdpHold,
  type SdpStream,
  sessionConnection,
} from './media.js';
export {
  agreedDirection,
  checkAnswer,
  checkNextOffer,
  isChanged,
  OfferAnswer,
  type OfferAnswerSnapshot,
  type OfferAnswerState,
  SdpNegotiationError,
} from './offer-answer.js';
export { SdpParseError } from './parse-error.js';
