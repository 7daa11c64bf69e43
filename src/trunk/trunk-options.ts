import * as v from 'valibot';
import { lineOfText, trueOrFalse } from '../base/schema-parts.js';
import { told } from '../base/schema-problems.js';
import { isRecord } from '../base/schema-walk.js';
import type { Params } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { parseUri } from '../protocol/sip/uri.js';
import { callConfig, type TrunkCallConfig } from './call-options.js';
import { type Carrier, type CarrierOptions, carrierEntries, carrierOf, passwordSchema } from './carrier-options.js';
import { type IdentityConfig, identityConfig } from './identity-options.js';
import { type MediaConfig, mediaConfig } from './media-options.js';

/** A server that is trusted by its address, without registration; as a person would write it down. */
export interface TrunkOptions extends CarrierOptions {
  /** For carriers that challenge calls: answered to the trunk's own addresses alone. */
  readonly username?: string;
  readonly password?: string;
  /** Parameters that every Request-URI gets: `tgrp=office;trunk-context=carrier.example`. */
  readonly uriParams?: string;
  /** How the called number is written: `sip:number@domain`, or `tel:number` (RFC 3966). Default `sip`. */
  readonly format?: 'sip' | 'tel';
  /**
   * Whether calls that come in by it may go out by another trunk. Default false. A UDP source address proves nothing, so even then
   * `identify` demands a digest of what came by UDP.
   */
  readonly transit?: boolean;
  /** How often OPTIONS asks whether it lives, in seconds; 0: never. Default 60, at least 10. */
  readonly qualifySeconds?: number;
}

/** What the other side gets to see of a trunk when nobody calls: a change of it begins anew. */
export interface TrunkPeer extends Carrier {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** 0: never asked. */
  readonly qualifySeconds: number;
}

/** A trunk's options, checked and complete. */
export interface TrunkPeerConfig {
  readonly name: string;
  readonly fixed: TrunkPeer;
  readonly uriParams: Params;
  readonly format: 'sip' | 'tel';
  readonly userPhone: boolean;
  readonly transit: boolean;
  readonly identity: IdentityConfig;
  readonly media: MediaConfig;
  readonly calls: TrunkCallConfig;
}

const PARAMS = 'parameters such as "tgrp=office"';
const QUALIFY = '0 for never, or a whole number from 10 to 86400';

const entries = {
  ...carrierEntries,
  username: v.optional(lineOfText),
  password: v.optional(passwordSchema),
  uriParams: v.optional(
    v.pipe(
      v.string(PARAMS),
      v.rawTransform<string, Params>(({ dataset, addIssue, NEVER }) => {
        const params = readUriParams(dataset.value);
        if (params !== undefined) return params;
        addIssue({ message: PARAMS });
        return NEVER;
      }),
    ),
  ),
  format: v.optional(v.picklist(['sip', 'tel'], '"sip" or "tel"'), 'sip'),
  transit: v.optional(trueOrFalse, false),
  qualifySeconds: v.optional(
    v.pipe(
      v.number(QUALIFY),
      v.check((value) => value === 0 || (Number.isInteger(value) && value >= 10 && value <= 86_400), QUALIFY),
    ),
    60,
  ),
} satisfies Record<keyof TrunkOptions, v.GenericSchema>;

/** `TrunkOptions`, read as a `TrunkPeerConfig`. */
export const trunkSchema = v.pipe(
  v.strictObject(entries, 'a trunk such as { "name": "gateway", "server": "192.0.2.9:5080" }'),
  v.rawCheck(({ dataset, addIssue }) => {
    // Told beside other faults as well.
    const options: unknown = dataset.value;
    if (!isRecord(options) || (options['username'] === undefined) === (options['password'] === undefined)) return;
    const path = options['username'] === undefined ? 'username' : 'password';
    addIssue(told({ path, found: 'nothing', expected: 'user name and password together, or neither' }));
  }),
  v.transform(trunkConfig),
);

function trunkConfig(options: v.InferOutput<v.StrictObjectSchema<typeof entries, undefined>>): TrunkPeerConfig {
  const { name, username, password, qualifySeconds, uriParams = [], format, userPhone, transit } = options;
  return {
    name,
    fixed: { ...carrierOf(options), username, password, qualifySeconds },
    uriParams,
    format,
    userPhone,
    transit,
    identity: identityConfig(options, { assertsIdentity: true }),
    media: mediaConfig(options),
    calls: callConfig(options),
  };
}

function readUriParams(text: string): Params | undefined {
  const uri = readable(() => parseUri(`sip:h;${text}`));
  return uri?.kind === 'sip' && uri.headers.length === 0 ? uri.params : undefined;
}
