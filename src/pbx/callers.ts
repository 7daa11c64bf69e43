import type { AddressSet } from '../base/address-set.js';
import type { TenantId } from '../base/tenant.js';
import type { IdentifiedCaller } from '../call/call-service.js';
import { assertedParty } from '../call/identity.js';
import { numberOf, type Party } from '../call/party.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { CallerAuthentication } from '../security/caller-authentication.js';
import type { InboundPeer } from '../trunk/inbound.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Lease } from '../ua/target.js';

export interface CallersOptions {
  readonly trunks: Pick<TrunkManager, 'identify' | 'admit'>;
  readonly extensions: Pick<CallerAuthentication, 'identify'>;
  /** Peers whose P-Asserted-Identity is believed, though no trunk is configured for them. */
  readonly trusted: AddressSet;
}

/** Who calls: somebody beyond a line or trunk, whom its server speaks for, or an extension that proves itself. */
export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /** Resolves to undefined when the request has been answered instead. */
  async identify(incoming: IncomingRequest): Promise<IdentifiedCaller | undefined> {
    const { trunks, extensions, trusted } = this.#options;
    const { request, source, tenantId } = incoming;
    const peer = trunks.identify(request, source, tenantId);
    // A domain in From is anybody's claim: it counts for nothing here.
    if (peer !== undefined && peer.certainty !== 'domain') {
      // Over UDP a source address can be forged, and a call that may go out again costs money: it needs a password.
      if (peer.transit === 'after-digest' && !(await this.#provesServer(incoming))) return undefined;
      return throughPeer(request, peer);
    }
    const asserted = trusted.has(source.remote.address) ? assertedParty(request) : undefined;
    if (asserted !== undefined) return { party: asserted };
    const extension = await extensions.identify(incoming);
    if (extension === undefined) return undefined;
    const { number } = extension;
    const media = extension.media === undefined ? {} : { media: extension.media };
    if (extension.kind === 'server') {
      return { party: { ...saidBy(request), via: { kind: 'peer', name: number, transit: true }, ...media } };
    }
    const displayName = extension.name ?? request.from.displayName;
    const named = displayName === undefined ? {} : { displayName };
    return { party: { number, extension: number, ...named, ...media } };
  }

  /** Whether it carries the password of a server that has an account here. False: it has been answered. */
  async #provesServer(incoming: IncomingRequest): Promise<boolean> {
    const account = await this.#options.extensions.identify(incoming);
    if (account !== undefined && account.kind !== 'server')
      incoming.respond(403, { once: true, reason: 'Not The Account Of A Server' });
    return account?.kind === 'server';
  }

  /** A place on the caller's line or trunk; undefined for one who speaks by none. */
  admit(tenantId: TenantId, { via }: Party): Lease | 'full' | undefined {
    return via === undefined || via.kind === 'peer'
      ? undefined
      : (this.#options.trunks.admit(tenantId, via.name) ?? 'full');
  }
}

/** The caller as the peer tells: it belongs to the trust domain, and knows whom it has asked for a password (RFC 3325 §5). */
function throughPeer(request: SipRequest, peer: InboundPeer): IdentifiedCaller {
  const { kind, name, transit, plan, inbound, called, contactAddress, codecs, media } = peer;
  const via = {
    kind,
    name,
    transit: transit !== 'never',
    ...(plan === undefined ? {} : { plan }),
    ...(inbound === undefined ? {} : { inbound }),
    ...(contactAddress === undefined ? {} : { contactAddress }),
    ...(codecs === undefined ? {} : { codecs }),
  };
  const party = { ...saidBy(request), via, ...(media === undefined ? {} : { media }) };
  return { party, ...(called === undefined ? {} : { called }) };
}

/** What stands for a number that the server does not tell: a From may have no user part (RFC 3261 §19.1.1). */
const UNKNOWN = 'anonymous';

/** The caller that a server speaks for. */
function saidBy(request: SipRequest): Party {
  const { uri, displayName } = request.from;
  return (
    assertedParty(request) ?? {
      number: numberOf(uri) || UNKNOWN,
      ...(displayName === undefined ? {} : { displayName }),
    }
  );
}
