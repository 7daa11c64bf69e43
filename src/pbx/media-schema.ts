import * as v from 'valibot';
import { ipVersion } from '../base/ip.js';
import { having, mediaMode, whole } from '../base/schema-parts.js';
import { DEFAULT_RTP_PORTS } from '../media/port-pool.js';
import { TONE_COUNTRIES } from '../protocol/audio/tone-plans.js';

const MUSIC = 'the path of a WAV file, or a sound such as wavFile(path)';
const PORTS = 'ports such as { "from": 20000, "to": 29998 }';
const milliseconds = whole(100, 86_400_000);
const ip = v.pipe(
  v.string('an IP address'),
  v.check((each) => ipVersion(each) !== 0, 'an IP address'),
);

/** `media` of the options. */
export const mediaSchema = v.strictObject(
  {
    path: v.optional(mediaMode),
    engine: v.optional(having('a media engine', ['offer', 'answer', 'delete', 'stats'])),
    ports: v.optional(
      v.pipe(
        v.strictObject({ from: v.optional(whole(1024, 65_534)), to: v.optional(whole(1024, 65_534)) }, PORTS),
        v.check(({ from = DEFAULT_RTP_PORTS.from, to = DEFAULT_RTP_PORTS.to }) => from + (from % 2) < to, PORTS),
      ),
    ),
    addresses: v.optional(
      v.pipe(v.array(ip, 'a list of IP addresses of this machine'), v.minLength(1, 'at least one address')),
    ),
    timeouts: v.optional(
      v.strictObject(
        { oneWayMs: v.optional(milliseconds), callMs: v.optional(milliseconds), holdMs: v.optional(milliseconds) },
        'times in milliseconds such as { "callMs": 300000 }',
      ),
    ),
    holdMusic: v.optional(v.union([v.pipe(v.string(), v.minLength(1)), having(MUSIC, ['open'])], MUSIC)),
    tones: v.optional(v.picklist(TONE_COUNTRIES, `one of ${TONE_COUNTRIES.join(', ')}`)),
  },
  'options such as { "path": "auto" }',
);
