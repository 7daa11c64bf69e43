import { audioFormatsToOffer } from '../protocol/sdp/audio-formats.js';
import { BASIC_AUDIO, createSdp } from '../protocol/sdp/create.js';
import { sdpText } from '../protocol/sdp/lines.js';

/** Nothing is sent to it, and `a=inactive` says so; 0 would refuse the stream. */
const DISCARD_PORT = 9;
/** RFC 3725 §4: an address that nobody mistakes for one that listens. */
const NOWHERE = '0.0.0.0';

/**
 * An offer on behalf of somebody who has not said anything yet: one audio stream that promises nothing, with these codecs (named as in
 * `a=rtpmap`; default PCMU, PCMA and digits). The leg that sends it puts its own `o=` line in.
 */
export function placeholderOffer(codecs: readonly string[] | undefined): string {
  const offered = codecs === undefined ? BASIC_AUDIO : audioFormatsToOffer(codecs);
  return sdpText(
    createSdp({
      origin: { sessionId: 0, address: NOWHERE },
      media: [{ port: DISCARD_PORT, codecs: offered, direction: 'inactive' }],
    }),
  );
}
