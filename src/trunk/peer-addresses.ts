import { normalizeHost } from '../base/ip.js';
import type { SipUri } from '../protocol/sip/uri.js';
import type { NextHopResolver } from '../ua/next-hop.js';

/** DNS that turns through its addresses gives a few at a time: what the last look-ups have given counts together. */
const KEPT_LOOKUPS = 4;

/** The addresses that a peer's names lead to: who may challenge us, and whose requests are the peer's. */
export class PeerAddresses {
  readonly #resolver: NextHopResolver;
  #lookups: readonly ReadonlySet<string>[] = [];

  constructor(resolver: NextHopResolver) {
    this.#resolver = resolver;
  }

  /**
   * Looks the names up anew; several are all asked. What was known stays when nothing is found.
   * @throws what the resolver throws, if none of them leads anywhere
   */
  async refresh(uris: readonly SipUri[]): Promise<void> {
    const answers = await Promise.allSettled(uris.map((uri) => this.#resolver.resolve(uri)));
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length === 0) {
      const failed = answers.find((answer) => answer.status === 'rejected');
      throw failed?.reason;
    }
    const addresses = new Set(found.map(({ address }) => normalizeHost(address)));
    this.#lookups = [addresses, ...this.#lookups.filter((each) => !isSame(each, addresses))].slice(0, KEPT_LOOKUPS);
  }

  has(address: string): boolean {
    const wanted = normalizeHost(address);
    return this.#lookups.some((addresses) => addresses.has(wanted));
  }
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((address) => b.has(address));
}
