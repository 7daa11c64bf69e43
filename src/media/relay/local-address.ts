import { ipVersion, normalizeHost, parseIpv4, parseIpv6 } from '../../base/ip.js';

/** Addresses of this machine, in order of preference; one at least. */
export type OwnAddresses = readonly [string, ...string[]];

/**
 * Which of our addresses to face a peer with: one of its family; for a loopback peer a loopback address and for any other none; then
 * one in its network (the first 24 bits of IPv4, 64 of IPv6); then the order in which they are given. The first of all where none is of
 * the peer's family, or the peer is not known.
 */
export function localAddressFor(addresses: OwnAddresses, peer: string | undefined): string {
  const host = peer === undefined ? '' : normalizeHost(peer);
  const version = ipVersion(host);
  let best = addresses[0];
  let bestScore = -1;
  for (const address of addresses) {
    const isFamily = version === 0 || ipVersion(address) === version;
    const score =
      (isFamily ? 4 : 0) +
      (isLoopback(address) === isLoopback(host) ? 2 : 0) +
      (version !== 0 && isFamily && networkOf(address) === networkOf(host) ? 1 : 0);
    if (score <= bestScore) continue;
    best = address;
    bestScore = score;
  }
  return best;
}

/** `0.0.0.0` or `::`, as the family of an address: stands for a peer whose address is not known. */
export function unspecifiedLike(address: string): string {
  return ipVersion(normalizeHost(address)) === 6 ? '::' : '0.0.0.0';
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function networkOf(address: string): string | undefined {
  return parseIpv4(address)?.subarray(0, 3).join('.') ?? parseIpv6(address)?.subarray(0, 8).join(':');
}
