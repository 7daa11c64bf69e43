import * as v from 'valibot';
import { ipVersion } from '../base/ip.js';
import { networkList, whole } from '../base/schema-parts.js';
import { parseStunListen, parseStunServer, STUN_LISTEN_EXAMPLE, STUN_SERVER_EXAMPLE } from './stun-address.js';

const EXTERNAL = 'an IP address such as "203.0.113.7", or options such as { "stun": ["stun.example.net"] }';
const LEAST_REFRESH_SECONDS = 10;
const MOST_REFRESH_SECONDS = 3600;

function texts(expected: string, list: string, accepts: (text: string) => boolean) {
  return v.array(v.pipe(v.string(expected), v.check(accepts, expected)), list);
}

const discovery = v.strictObject(
  {
    stun: v.pipe(
      texts(STUN_SERVER_EXAMPLE, 'a list of STUN servers', (text) => parseStunServer(text) !== undefined),
      v.minLength(1, 'at least one STUN server'),
    ),
    refreshSeconds: v.optional(whole(LEAST_REFRESH_SECONDS, MOST_REFRESH_SECONDS)),
  },
  EXTERNAL,
);
const address = v.pipe(
  v.string(EXTERNAL),
  v.check((text) => ipVersion(text) !== 0, EXTERNAL),
);

/** The schemas of the options about NAT, for options that hold them beside others. */
export const natEntries = {
  externalAddress: v.optional(v.lazy((input) => (typeof input === 'string' ? address : discovery))),
  localNetworks: v.optional(networkList),
  stun: v.optional(
    v.strictObject(
      {
        listen: v.pipe(
          texts(
            STUN_LISTEN_EXAMPLE,
            'a list of addresses such as ["udp://0.0.0.0:3478"]',
            (text) => parseStunListen(text) !== undefined,
          ),
          v.minLength(1, 'at least one address'),
        ),
      },
      'options such as { "listen": ["udp://0.0.0.0:3478"] }',
    ),
  ),
} satisfies Record<string, v.GenericSchema>;
