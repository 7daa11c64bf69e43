import type { AddressAdvisor } from '../base/address-advisor.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import type { ListenProtocol } from './hop.js';
import { sentByKey } from './via.js';

/** An advisor that gives every peer another address must not fill the memory. */
const CAPACITY = 1024;

/**
 * The addresses under which we have made ourselves known: those of the sockets and those that the advisor chose for a
 * Via or Contact. What comes back under one of them is for us (RFC 3261 §18.1.2).
 */
export class AdvertisedAddresses {
  readonly #advisor: AddressAdvisor;
  readonly #keys = new Set<string>();
  readonly #hosts = new Set<string>();

  constructor(advisor: AddressAdvisor) {
    this.#advisor = advisor;
  }

  /** The address to tell `remote`, by which it comes with `protocol`; remembered as ours. */
  for(protocol: ListenProtocol, local: SocketAddress, remote: SocketAddress): SocketAddress {
    const told = this.#advisor.advertise({ purpose: 'signalling', protocol, local, remote });
    this.add(told);
    return told;
  }

  add(address: SocketAddress): void {
    const key = sentByKey(address.address, address.port);
    if (this.#keys.has(key)) return;
    remember(this.#keys, key);
    remember(this.#hosts, normalizeHost(address.address));
  }

  has(host: string, port: number): boolean {
    return this.#keys.has(sentByKey(host, port));
  }

  hasHost(host: string): boolean {
    return this.#hosts.has(normalizeHost(host));
  }
}

/** Beyond the capacity the value that was set longest ago makes room. */
function remember(set: Set<string>, value: string): void {
  if (set.size >= CAPACITY) {
    const oldest = set.values().next();
    if (oldest.done !== true) set.delete(oldest.value);
  }
  set.add(value);
}
