import * as v from 'valibot';
import { lineOfText, trueOrFalse, whole } from '../base/schema-parts.js';
import { callConfig, type TrunkCallConfig } from './call-options.js';
import { type Carrier, type CarrierOptions, carrierEntries, carrierOf, passwordSchema } from './carrier-options.js';
import { type IdentityConfig, identityConfig } from './identity-options.js';
import { type MediaConfig, mediaConfig } from './media-options.js';

/** An account at a carrier, as a person would write it down. */
export interface LineOptions extends CarrierOptions {
  /** The user part of the account's address. */
  readonly username: string;
  readonly password: string;
  /** The user name in credentials, `@domain` and all; default `username`. */
  readonly authorizationId?: string;
  readonly displayName?: string;
  /** What is asked for; the registrar decides. Default 3600, from 60 to 86,400. */
  readonly expiresSeconds?: number;
  /** The Call-ID of REGISTERs: one for all (RFC 3261 §10.2), or for carriers that break on that a new one each time. Default `same`. */
  readonly callId?: 'same' | 'new';
  /**
   * Whether the Contact follows what the registrar sees of us (received, rport: RFC 3581), as is needed behind a NAT. Default true.
   */
  readonly rewriteContact?: boolean;
  /**
   * Whether calls show the caller's own number instead of the account's, for carriers that let an account do so; what the number looks like,
   * the dial plan's `refineCaller` says. Not with `callerNumber`. Default false.
   */
  readonly showsCaller?: boolean;
}

/** What the registrar gets to see of a line: a change of it begins anew. */
export interface Account extends Carrier {
  readonly username: string;
  readonly authorizationId: string;
  readonly password: string;
  readonly displayName: string | undefined;
  readonly expiresSeconds: number;
  readonly callId: 'same' | 'new';
  readonly rewriteContact: boolean;
}

/** A line's options, checked and complete. */
export interface LineConfig {
  readonly name: string;
  readonly fixed: Account;
  readonly userPhone: boolean;
  readonly identity: IdentityConfig;
  readonly media: MediaConfig;
  readonly calls: TrunkCallConfig;
}

const USER = 'the user part of the account, without a domain';

const entries = {
  ...carrierEntries,
  username: v.pipe(v.string(USER), v.regex(/^[^@\p{Cc}]+$/u, USER)),
  password: passwordSchema,
  authorizationId: v.optional(lineOfText),
  displayName: v.optional(lineOfText),
  expiresSeconds: v.optional(whole(60, 86_400), 3600),
  callId: v.optional(v.picklist(['same', 'new'], '"same" or "new"'), 'same'),
  rewriteContact: v.optional(trueOrFalse, true),
  showsCaller: v.optional(trueOrFalse, false),
} satisfies Record<keyof LineOptions, v.GenericSchema>;

/** `LineOptions`, read as a `LineConfig`. */
export const lineSchema = v.pipe(
  v.strictObject(
    entries,
    'a line such as { "name": "1234", "server": "sip.carrier.example", "username": "1234", "password": "…" }',
  ),
  v.transform(lineConfig),
);

function lineConfig(options: v.InferOutput<v.StrictObjectSchema<typeof entries, undefined>>): LineConfig {
  const { name, username, authorizationId = username, password, userPhone } = options;
  const { displayName, expiresSeconds, callId, rewriteContact, showsCaller } = options;
  const shown = showsCaller ? {} : { callerNumber: username };
  const account = { username, authorizationId, password, displayName };
  return {
    name,
    fixed: { ...carrierOf(options), ...account, expiresSeconds, callId, rewriteContact },
    userPhone,
    identity: identityConfig(options, { ...shown, assertsIdentity: false }),
    media: mediaConfig(options),
    calls: callConfig(options),
  };
}
