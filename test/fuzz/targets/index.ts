import { audioOfferTarget } from './audio-offer.js';
import { digestTarget } from './digest.js';
import { headerTarget } from './header.js';
import { messageTarget } from './message.js';
import { multipartTarget } from './multipart.js';
import { ngTarget } from './ng.js';
import { rtcpTarget } from './rtcp.js';
import { rtpTarget } from './rtp.js';
import { sdesTarget } from './sdes.js';
import { sdpTarget } from './sdp.js';
import { srtpTarget } from './srtp.js';
import { streamTarget } from './stream.js';
import { stunTarget } from './stun.js';
import type { FuzzTarget } from './target.js';
import { uriTarget } from './uri.js';
import { wavTarget } from './wav.js';

/** All parsers; the running stack has a fuzzer of its own in `../stack`. */
export const TARGETS: readonly FuzzTarget[] = [
  messageTarget,
  headerTarget,
  uriTarget,
  sdpTarget,
  digestTarget,
  multipartTarget,
  streamTarget,
  stunTarget,
  audioOfferTarget,
  sdesTarget,
  rtpTarget,
  rtcpTarget,
  srtpTarget,
  wavTarget,
  ngTarget,
];
