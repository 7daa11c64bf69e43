import { closeLines, rejectedSection } from '../../protocol/sdp/edit.js';
import type { Sdp, SdpSection } from '../../protocol/sdp/lines.js';
import { mediaSummary } from '../../protocol/sdp/media.js';

/** A description, and which of its streams is the audio. */
export interface PlacedAudio {
  readonly sdp: Sdp;
  readonly index: number;
}

/**
 * `own`, a description of one audio stream, as an offer in a dialog in which `before` was said until now (RFC 3264 §8): as many streams as
 * before, the audio where audio was, the others refused. Where there was none it comes last.
 */
export function placeAudio(own: Sdp, before: Sdp): PlacedAudio {
  const streams = mediaSummary(before).filter(({ type }) => type.toLowerCase() === 'audio');
  const index = (streams.find(({ active }) => active) ?? streams[0])?.index ?? before.media.length;
  const media = before.media.map(refused);
  media.splice(index, 1, ...own.media);
  return { sdp: closeLines({ ...own, media }), index };
}

function refused(section: SdpSection): SdpSection {
  return { lines: rejectedSection(section).lines.map((line) => ({ ...line, end: '\r\n' })) };
}
