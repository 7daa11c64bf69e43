import * as v from 'valibot';
import type { MediaMode } from '../base/media-mode.js';
import { mediaMode } from '../base/schema-parts.js';
import { AUDIO_FORMAT_NAMES, isAuxiliary } from '../protocol/sdp/audio-formats.js';
import type { TrunkPolicy } from '../ua/target.js';

/** What a carrier gets to hear, and is heard by. */
export interface MediaOptions {
  /**
   * The audio formats that the carrier is told of, and that are taken of its offers, as `a=rtpmap` names them, in any case:
   * `['PCMA', 'PCMU', 'telephone-event']`. The order of the other side's description is kept. Digits (`telephone-event`) and comfort
   * noise (`CN`) must be listed too; video and fax are not concerned. Default: all.
   */
  readonly codecs?: readonly string[];
  /**
   * How the media of its calls goes: `direct`, end to end; `relay`, through the server; `auto`, through the server where both parties could
   * not hear each other otherwise. Default: that of the PBX.
   */
  readonly media?: MediaMode;
}

/** Media options, checked. */
export type MediaConfig = Readonly<Pick<TrunkPolicy, 'codecs' | 'media'>>;

const CODECS = 'a list of codecs such as ["PCMA", "PCMU", "telephone-event"], one of which carries speech';
const NAME = `one of ${AUDIO_FORMAT_NAMES.join(', ')}`;
const BY_LOWER_CASE = new Map(AUDIO_FORMAT_NAMES.map((name) => [name.toLowerCase(), name]));

export const mediaEntries = {
  codecs: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string(NAME),
          v.check((name) => BY_LOWER_CASE.has(name.toLowerCase()), NAME),
          v.transform((name) => BY_LOWER_CASE.get(name.toLowerCase()) ?? name),
        ),
        CODECS,
      ),
      v.check((names) => names.some((name) => !isAuxiliary({ name })), CODECS),
    ),
  ),
  media: v.optional(mediaMode),
} satisfies Record<keyof MediaOptions, v.GenericSchema>;

/** The media options among others. */
export function mediaConfig({
  codecs,
  media,
}: v.InferOutput<v.StrictObjectSchema<typeof mediaEntries, undefined>>): MediaConfig {
  return { ...(codecs === undefined ? {} : { codecs }), ...(media === undefined ? {} : { media }) };
}
