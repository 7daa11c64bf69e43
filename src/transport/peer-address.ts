import { ipVersion, parseIpv4, parseIpv6, type SocketAddress } from '../base/ip.js';
import { facingAddress } from '../net/facing-address.js';
import type { SourceFor } from '../net/source-addresses.js';

/** False for multicast, limited broadcast, the unspecified address and whatever is no IP literal: nobody to answer to. */
export function isUnicast(address: string): boolean {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) {
    const first = v4[0] as number;
    return first !== 0 && first < 224; // 224/4 is multicast (RFC 5771), 240/4 reserved with the broadcast address
  }
  const v6 = parseIpv6(address);
  return v6 !== undefined && v6[0] !== 0xff && v6.some((byte) => byte !== 0);
}

/**
 * Picks the socket to send from: the target's family is a must; then as `facingAddress` has it, by `sourceFor`, the networks and the
 * order of listening.
 */
export function pickLocal<T extends { readonly local: SocketAddress }>(
  candidates: readonly T[],
  target: string,
  sourceFor?: SourceFor,
): T | undefined {
  const version = ipVersion(target);
  if (version === 0) return undefined;
  const kin = candidates.filter(({ local }) => ipVersion(local.address) === version);
  return facingAddress(kin, ({ local }) => local.address, target, sourceFor);
}
