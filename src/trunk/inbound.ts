import { normalizeHost } from '../base/ip.js';
import type { MediaMode } from '../base/media-mode.js';
import type { TenantId } from '../base/tenant.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { HostPort, Source } from '../ua/target.js';
import type { ExternalLine } from './external-line.js';
import type { LineConfig } from './line-options.js';
import type { SipTrunk } from './sip-trunk.js';
import type { TrunkPeerConfig } from './trunk-options.js';

/** Which line or trunk a request came in on, and how certain that is. */
export interface InboundPeer {
  readonly tenantId: TenantId;
  readonly kind: 'line' | 'trunk';
  readonly name: string;
  /**
   * `token`: the Request-URI is the Contact that only the line's registrar knows. `address`: it came from an address of the carrier.
   * `domain`: From says so, and nothing else does: anybody can write that.
   */
  readonly certainty: 'token' | 'address' | 'domain';
  /** Whether it came from an address of the carrier. */
  readonly fromPeer: boolean;
  /**
   * Whether the caller may be sent out again by another trunk. `after-digest`: only one who proves himself, because over UDP a source
   * address can be forged. Lines never.
   */
  readonly transit: 'never' | 'allowed' | 'after-digest';
  /** Where the configuration sends it. */
  readonly inbound?: string;
  /** The dial plan that it follows there. */
  readonly plan?: string;
  /** The number that was dialled where the Request-URI does not tell: it names our Contact, so To does. */
  readonly called?: string;
  /** What stands in our Contact towards it instead of our address. */
  readonly contactAddress?: HostPort;
  /** The audio formats that it may be told of, and that are taken of its offers. Default: all. */
  readonly codecs?: readonly string[];
  /** How its media goes. Default: the call service's. */
  readonly media?: MediaMode;
}

interface Known<Peer, Config> {
  readonly tenantId: TenantId;
  readonly peer: Peer;
  readonly config: Config;
}

export interface KnownPeers {
  readonly lines: Iterable<Known<ExternalLine, LineConfig>>;
  readonly trunks: Iterable<Known<SipTrunk, TrunkPeerConfig>>;
}

/**
 * Finds the line or trunk. By address a trunk goes before a line; several lines at one carrier are told apart by the account in the Request-URI
 * or To, and where that names none of them the answer is undefined: a guess would be somebody else's call.
 */
export function identifyInbound(request: SipRequest, source: Source, peers: KnownPeers): InboundPeer | undefined {
  const lines = [...peers.lines];
  const trunks = [...peers.trunks];
  const address = normalizeHost(source.remote.address);
  const user = userOf(readable(() => request.uri));
  const byToken = lines.find(({ peer }) => peer.token !== '' && peer.token === user);
  const to = userOf(readable(() => request.to)?.uri);
  if (byToken !== undefined) return fromLine(byToken, 'token', byToken.peer.isPeer(address), to);

  const trunk = trunks.find(({ peer }) => peer.isPeer(address));
  if (trunk !== undefined) return fromTrunk(trunk, 'address', source);
  const called = [user, to];
  const line = theOne(
    lines.filter(({ peer }) => peer.isPeer(address)),
    called,
  );
  if (line !== undefined) return fromLine(line, 'address', true, user);

  const from = readable(() => request.from)?.uri;
  const domain = from?.kind === 'sip' ? normalizeHost(from.host) : undefined;
  if (domain === undefined) return undefined;
  const namedTrunk = trunks.find(({ peer }) => peer.peer.domain === domain);
  if (namedTrunk !== undefined) return fromTrunk(namedTrunk, 'domain', source);
  const namedLine = theOne(
    lines.filter(({ peer }) => peer.account.domain === domain),
    called,
  );
  return namedLine === undefined ? undefined : fromLine(namedLine, 'domain', false, user);
}

/** The only one; of several the one whose account was called. */
function theOne(
  lines: readonly Known<ExternalLine, LineConfig>[],
  called: readonly (string | undefined)[],
): Known<ExternalLine, LineConfig> | undefined {
  if (lines.length < 2) return lines[0];
  const named = lines.filter(({ peer }) => called.includes(peer.account.username));
  return named.length === 1 ? named[0] : undefined;
}

function fromLine(
  { tenantId, peer, config }: Known<ExternalLine, LineConfig>,
  certainty: InboundPeer['certainty'],
  fromPeer: boolean,
  called: string | undefined,
): InboundPeer {
  const contactAddress = config.identity.contactAddress ?? peer.contactAddress;
  const { codecs, media } = config.media;
  const { owner, plan, inbound = called === peer.account.username ? owner : undefined } = config.calls;
  return {
    tenantId,
    kind: 'line',
    name: peer.name,
    certainty,
    fromPeer,
    transit: 'never',
    ...(inbound === undefined ? {} : { inbound }),
    ...(plan === undefined ? {} : { plan }),
    ...(called === undefined ? {} : { called }),
    ...(contactAddress === undefined ? {} : { contactAddress }),
    ...(codecs === undefined ? {} : { codecs }),
    ...(media === undefined ? {} : { media }),
  };
}

function fromTrunk(
  { tenantId, peer, config }: Known<SipTrunk, TrunkPeerConfig>,
  certainty: 'address' | 'domain',
  { protocol }: Source,
): InboundPeer {
  const { inbound, plan } = config.calls;
  const { contactAddress } = config.identity;
  const { codecs, media } = config.media;
  const proven = certainty === 'address' && protocol !== 'udp';
  return {
    tenantId,
    kind: 'trunk',
    name: peer.name,
    certainty,
    fromPeer: certainty === 'address',
    transit: !config.transit || certainty !== 'address' ? 'never' : proven ? 'allowed' : 'after-digest',
    ...(inbound === undefined ? {} : { inbound }),
    ...(plan === undefined ? {} : { plan }),
    ...(contactAddress === undefined ? {} : { contactAddress }),
    ...(codecs === undefined ? {} : { codecs }),
    ...(media === undefined ? {} : { media }),
  };
}

function userOf(uri: Uri | undefined): string | undefined {
  return uri?.kind === 'sip' ? uri.user : uri?.kind === 'tel' ? uri.number : undefined;
}
