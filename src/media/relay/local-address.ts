import { ipVersion, normalizeHost } from '../../base/ip.js';
import { facingAddress } from '../../net/facing-address.js';
import type { SourceFor } from '../../net/source-addresses.js';

/** Addresses of this machine, in order of preference; one at least. */
export type OwnAddresses = readonly [string, ...string[]];

/**
 * Which of our addresses to face a peer with: one of its family; then as `facingAddress` has it, by `sourceFor`, the networks and the
 * order in which they are given. The first of all where none is of the peer's family; the first that is no loopback address where the
 * peer is not known.
 */
export function localAddressFor(addresses: OwnAddresses, peer: string | undefined, sourceFor?: SourceFor): string {
  const host = peer === undefined ? '' : normalizeHost(peer);
  const version = ipVersion(host);
  const kin = addresses.filter((address) => version === 0 || ipVersion(address) === version);
  const own = kin.length > 0 ? kin : addresses;
  return facingAddress(own, (address) => address, host, version === 0 ? undefined : sourceFor) ?? addresses[0];
}

/** `0.0.0.0` or `::`, as the family of an address: stands for a peer whose address is not known. */
export function unspecifiedLike(address: string): string {
  return ipVersion(normalizeHost(address)) === 6 ? '::' : '0.0.0.0';
}
