import { type Params, withParam } from '../protocol/sip/params.js';
import { type SipUri, sipUri, type Uri } from '../protocol/sip/uri.js';
import type { Lease, Target } from '../ua/target.js';
import type { ExternalLine } from './external-line.js';
import type { LineConfig } from './line-options.js';
import type { SipTrunk } from './sip-trunk.js';
import type { TrunkPeerConfig } from './trunk-options.js';

/**
 * Where a call by this line goes: the number in the account's domain, by the outbound proxy and the service route (RFC 3608 §6.1) where there
 * are any. Credentials, not a client that is kept: calls that run beside one another would take each other's challenges for refusals.
 */
export function lineTarget(
  line: ExternalLine,
  { userPhone, identity, media }: LineConfig,
  number: string,
  lease: Lease,
): Target {
  const { account, route } = line;
  const contactAddress = identity.contactAddress ?? line.contactAddress;
  return {
    uri: sipUri({ user: number, host: account.domain, params: phoneParams(userPhone) }),
    ...(route.length > 0 ? { route } : { nextHop: account.server }),
    policy: { peer: 'trunk', name: line.name, domain: account.domain, ...identity.policy, ...media },
    ...(contactAddress === undefined ? {} : { contactAddress }),
    credentials: line.credentials,
    lease,
  };
}

/** Where a call by this trunk goes. */
export function trunkTarget(trunk: SipTrunk, config: TrunkPeerConfig, number: string, lease: Lease): Target {
  const { route, peer, credentials } = trunk;
  const { policy, contactAddress } = config.identity;
  return {
    uri: trunkUri(peer, config, number),
    ...(route.length > 0 ? { route } : { nextHop: peer.server }),
    policy: { peer: 'trunk', name: trunk.name, domain: peer.domain, ...policy, ...config.media },
    ...(contactAddress === undefined ? {} : { contactAddress }),
    ...(credentials === undefined ? {} : { credentials }),
    lease,
  };
}

function trunkUri(
  peer: { readonly server: SipUri; readonly domain: string },
  config: TrunkPeerConfig,
  number: string,
): Uri {
  const { format, userPhone, uriParams } = config;
  if (format === 'tel' && isTelephone(number)) return { kind: 'tel', number, params: uriParams };
  // The port belongs to the server's own name alone.
  const port = peer.domain === peer.server.host ? peer.server.port : undefined;
  const params = uriParams.reduce<Params>(
    (all, { name, value }) => withParam(all, name, value),
    phoneParams(userPhone),
  );
  return sipUri({ user: number, host: peer.domain, port, params });
}

/** Digits and what may stand between them (RFC 3966 §3): a name is called by a SIP URI, whatever the trunk prefers. */
function isTelephone(number: string): boolean {
  return number.length <= 64 && /^\+?[\d*#().-]*\d[\d*#().-]*$/.test(number);
}

function phoneParams(userPhone: boolean): Params {
  return userPhone ? [{ name: 'user', value: 'phone' }] : [];
}
