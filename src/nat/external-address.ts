import type { AddressQuestion } from '../base/address-advisor.js';
import { ipVersion, normalizeHost, type SocketAddress } from '../base/ip.js';

/** Where our sockets are reached from outside. */
export interface ExternalAddresses {
  /** What to tell a peer outside; undefined where nothing is known for that socket, or nothing of its family. */
  externalFor(question: AddressQuestion): SocketAddress | undefined;
  /** Whether that is one of them. */
  has(host: string): boolean;
}

/** One address that is known: that of a router which passes our ports on, each to the same port. */
export class StaticExternalAddress implements ExternalAddresses {
  readonly #address: string;

  /** `address` is an IP literal; sockets of the other family keep their own. */
  constructor(address: string) {
    this.#address = normalizeHost(address);
  }

  externalFor({ local }: AddressQuestion): SocketAddress | undefined {
    if (ipVersion(local.address) !== ipVersion(this.#address)) return undefined;
    return { address: this.#address, port: local.port };
  }

  has(host: string): boolean {
    return normalizeHost(host) === this.#address;
  }
}
