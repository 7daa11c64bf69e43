import type { AddressAdvisor, AddressQuestion } from '../base/address-advisor.js';
import { isWildcardAddress, type SocketAddress } from '../base/ip.js';
import type { ExternalAddresses } from './external-address.js';
import type { LocalNetworks } from './local-networks.js';

/**
 * Tells each peer the address that it can reach: the socket's own to peers in local networks, the external one to all
 * others, where one is known. A peer whose address is not known, `0.0.0.0` or `::`, is outside.
 */
export class NatAddressAdvisor implements AddressAdvisor {
  readonly #external: ExternalAddresses;
  readonly #locals: LocalNetworks;

  constructor(options: { readonly external: ExternalAddresses; readonly locals: LocalNetworks }) {
    this.#external = options.external;
    this.#locals = options.locals;
  }

  advertise(question: AddressQuestion): SocketAddress {
    const { address } = question.remote;
    // The first 64 bits of a network of ours may be those of `::`.
    if (!isWildcardAddress(address) && this.#locals.has(address)) return question.local;
    return this.#external.externalFor(question) ?? question.local;
  }
}
