import { hasAudio, withAudioFormats } from '../protocol/sdp/audio-formats.js';
import { parseSdp, sdpText } from '../protocol/sdp/lines.js';
import { SdpParseError } from '../protocol/sdp/parse-error.js';
import type { HostPort } from '../ua/target.js';

/** What is particular about a peer that calls. */
export interface PeerTraits {
  /** What stands in our Contact towards it instead of our address. */
  readonly contactAddress?: HostPort;
  /** The audio formats that the peer may be told of, and that are taken of its offers; named as in rtpmap. Default: all. */
  readonly codecs?: readonly string[];
}

/** The phrase of a 488 for what `codecs` leaves without audio. */
export const NO_CODEC = 'No Codec In Common';

/** A description with the allowed audio formats only. */
export interface Narrowed {
  readonly sdp: string;
  /** It had audio, and has none any more. */
  readonly silent: boolean;
}

/** Takes every audio format out of a description that `codecs` does not name. What cannot be read stays as it is. */
export function narrow(sdp: string, codecs: readonly string[] | undefined): Narrowed {
  if (codecs === undefined) return { sdp, silent: false };
  try {
    const before = parseSdp(sdp);
    const after = withAudioFormats(before, new Set(codecs.map((name) => name.toLowerCase())));
    if (after === before) return { sdp, silent: false };
    return { sdp: sdpText(after), silent: !hasAudio(after) };
  } catch (error) {
    if (error instanceof SdpParseError) return { sdp, silent: false };
    throw error;
  }
}
