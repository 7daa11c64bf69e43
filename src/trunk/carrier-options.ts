import * as v from 'valibot';
import { normalizeHost } from '../base/ip.js';
import { lineOfText, trueOrFalse } from '../base/schema-parts.js';
import { withParam } from '../protocol/sip/params.js';
import type { SipUri } from '../protocol/sip/uri.js';
import { callEntries, type TrunkCallOptions } from './call-options.js';
import { type IdentityOptions, identityEntries } from './identity-options.js';
import { type MediaOptions, mediaEntries } from './media-options.js';
import { serverSchema } from './server-uri.js';

/** What the options of lines and trunks have in common: how we call it, and where the carrier is. */
export interface CarrierOptions extends TrunkCallOptions, IdentityOptions, MediaOptions {
  /** Unique among the lines and trunks of a tenant: 1–64 letters, digits, `-`, `_`, `.`, `+`. */
  readonly name: string;
  /**
   * Host name, address or SIP URI of the registrar, or of the trunk's other side: `sip.carrier.example`, `192.0.2.9:5080`,
   * `sip:carrier.example;transport=tcp`.
   */
  readonly server: string;
  /**
   * The SIP domain where it is not the server's host: of the account, or of a trunk's Request-URIs. What comes from it counts as the line's or
   * trunk's, see `identify`.
   */
  readonly domain?: string;
  /** Where everything is sent first, the outbound proxy; written like `server`. Default: the server. */
  readonly proxy?: string;
  /**
   * The realm, or realms, whose challenges are answered. Default: of a line the first one that the registrar accepts credentials for, of a
   * trunk any that its own addresses name.
   */
  readonly realm?: string | readonly string[];
  /** Whether called numbers carry `;user=phone` (RFC 3261 §19.1.1); of a trunk with `format: 'sip'` alone. Default false. */
  readonly userPhone?: boolean;
}

/** Where a carrier is. */
export interface Carrier {
  /** Next hop for what keeps up a line or trunk, and for calls where nothing else is said. */
  readonly server: SipUri;
  /** With `lr`: goes into a Route. */
  readonly proxy: SipUri | undefined;
  readonly domain: string;
  /** None: see `realm`. */
  readonly realms: readonly string[];
}

const NAME = '1–64 letters, digits, "-", "_", "." or "+"';

/** The schemas of the options that lines and trunks share, with their defaults. */
export const carrierEntries = {
  ...callEntries,
  ...identityEntries,
  ...mediaEntries,
  name: v.pipe(v.string(NAME), v.regex(/^[\w.+-]{1,64}$/, NAME)),
  server: serverSchema,
  domain: v.optional(serverSchema),
  proxy: v.optional(serverSchema),
  realm: v.optional(
    v.lazy((input) =>
      Array.isArray(input)
        ? v.array(lineOfText)
        : v.pipe(
            lineOfText,
            v.transform((realm) => [realm]),
          ),
    ),
    [],
  ),
  userPhone: v.optional(trueOrFalse, false),
} satisfies Record<keyof CarrierOptions, v.GenericSchema>;

/** A secret of an account. */
export const passwordSchema = v.pipe(v.string('a password'), v.minLength(1, 'a password that is not empty'));

/** Where the carrier of a line or trunk is. */
export function carrierOf(options: v.InferOutput<v.StrictObjectSchema<typeof carrierEntries, undefined>>): Carrier {
  const { server, proxy, domain = server, realm } = options;
  return {
    server,
    proxy: proxy === undefined ? undefined : { ...proxy, params: withParam(proxy.params, 'lr') },
    domain: normalizeHost(domain.host),
    realms: realm,
  };
}
