import * as v from 'valibot';
import { lineOfText, trueOrFalse } from '../base/schema-parts.js';
import type { HostPort, TrunkPolicy } from '../ua/target.js';
import { serverSchema } from './server-uri.js';

/** How a carrier is shown who calls, and from where. */
export interface IdentityOptions {
  /** The number that every call shows, whoever calls. Default: of a line its account, of a trunk the caller's own. */
  readonly callerNumber?: string;
  /** Whether calls carry P-Asserted-Identity (RFC 3325); one whose caller withholds the number does in any case. Default: a trunk's do. */
  readonly assertsIdentity?: boolean;
  /**
   * What stands in From, beside `Privacy: id`, when the caller withholds the number: nobody (RFC 3325 §7), or the number, for carriers
   * that know accounts by From and hide it themselves. Default `anonymous`.
   */
  readonly withheldFrom?: 'anonymous' | 'number';
  /** How it is told where a call was before: Diversion (RFC 5806), History-Info (RFC 7044), both as far as known, or not. Default `both`. */
  readonly history?: 'diversion' | 'history-info' | 'both' | 'none';
  /**
   * Host name, and port, of our Contact in calls and OPTIONS, for carriers that insist on the name in our certificate: `pbx.office.example`,
   * `pbx.office.example:5061`. It must lead here. Default: our address, or of a line behind a NAT what the registrar sees of us.
   */
  readonly contactAddress?: string;
}

/** Identity options, checked. */
export interface IdentityConfig {
  readonly policy: Pick<TrunkPolicy, 'callerNumber' | 'assertsIdentity' | 'withheldFrom' | 'history'>;
  readonly contactAddress: HostPort | undefined;
}

export const identityEntries = {
  callerNumber: v.optional(lineOfText),
  assertsIdentity: v.optional(trueOrFalse),
  withheldFrom: v.optional(v.picklist(['anonymous', 'number'], '"anonymous" or "number"'), 'anonymous'),
  history: v.optional(
    v.picklist(['diversion', 'history-info', 'both', 'none'], '"diversion", "history-info", "both" or "none"'),
    'both',
  ),
  contactAddress: v.optional(serverSchema),
} satisfies Record<keyof IdentityOptions, v.GenericSchema>;

/** The identity options among others; `defaults`: what a line, or a trunk, does where nothing is said. */
export function identityConfig(
  options: v.InferOutput<v.StrictObjectSchema<typeof identityEntries, undefined>>,
  defaults: { readonly callerNumber?: string; readonly assertsIdentity: boolean },
): IdentityConfig {
  const { callerNumber = defaults.callerNumber, assertsIdentity = defaults.assertsIdentity } = options;
  const { withheldFrom, history, contactAddress } = options;
  const shown = callerNumber === undefined ? {} : { callerNumber };
  return {
    policy: { ...shown, assertsIdentity, withheldFrom, history },
    contactAddress: contactAddress === undefined ? undefined : hostPort(contactAddress),
  };
}

function hostPort({ host, port }: v.InferOutput<typeof serverSchema>): HostPort {
  return port === undefined ? { host } : { host, port };
}
