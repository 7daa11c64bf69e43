import { AddressSet } from '../base/address-set.js';
import type { Clock, Millis } from '../base/clock.js';
import { ipVersion } from '../base/ip.js';
import { LINK_NETWORKS, PRIVATE_NETWORKS } from '../base/private-networks.js';
import type { Network } from '../net/network.js';

/** How long the addresses of the machine are believed. */
const KEEP_MS = 60_000;
/** Verdicts that are remembered; then all are forgotten. */
const MOST_VERDICTS = 4096;

export interface LocalNetworksOptions {
  /** Instead of `PRIVATE_NETWORKS`. */
  readonly networks?: readonly string[];
  readonly network: Pick<Network, 'localAddresses'>;
  readonly clock: Clock;
}

/**
 * Who is inside: the networks that are named, loopback and link-local addresses, and the networks of the machine's own
 * interfaces, of which the system does not tell the masks: the first 24 bits of IPv4, 64 of IPv6.
 */
export class LocalNetworks {
  readonly #options: LocalNetworksOptions;
  readonly #verdicts = new Map<string, boolean>();
  #set: AddressSet | undefined;
  #until: Millis = Number.NEGATIVE_INFINITY;

  /** @throws UsageError PBX_INVALID_ARGUMENT for what is neither address nor network, when first asked */
  constructor(options: LocalNetworksOptions) {
    this.#options = options;
  }

  has(address: string): boolean {
    const set = this.#current();
    let verdict = this.#verdicts.get(address);
    if (verdict === undefined) {
      verdict = set.has(address);
      if (this.#verdicts.size >= MOST_VERDICTS) this.#verdicts.clear();
      this.#verdicts.set(address, verdict);
    }
    return verdict;
  }

  /** Interfaces come and go: a lease, a tunnel. */
  #current(): AddressSet {
    const { network, clock, networks = PRIVATE_NETWORKS } = this.#options;
    const now = clock.now();
    if (this.#set === undefined || now >= this.#until) {
      const own = network.localAddresses().flatMap((address) => {
        const version = ipVersion(address);
        return version === 0 ? [] : [`${address}/${version === 4 ? 24 : 64}`];
      });
      this.#set = new AddressSet([...networks, ...LINK_NETWORKS, ...own]);
      this.#until = now + KEEP_MS;
      this.#verdicts.clear();
    }
    return this.#set;
  }
}
