import { ipVersion, normalizeHost, parseIpv4, parseIpv6 } from '../base/ip.js';
import type { SourceFor } from './source-addresses.js';

/** 127/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') ? ipVersion(address) === 4 : normalizeHost(address) === '::1';
}

/**
 * Of addresses of ours, all of the peer's family, the one to face it with: for a loopback peer a loopback address and for any other
 * none; then the address that the system's routes lead from (`sourceFor`), else one in its network (the first 24 bits of IPv4, 64 of
 * IPv6), else in the peer's own; then the first. Undefined: there are none.
 */
export function facingAddress<T>(
  own: readonly T[],
  addressOf: (each: T) => string,
  peer: string,
  sourceFor?: SourceFor,
): T | undefined {
  const loopback = isLoopback(peer);
  const alike = own.filter((each) => isLoopback(addressOf(each)) === loopback);
  const fit = alike.length > 0 ? alike : own;
  if (fit.length < 2) return fit[0];
  const inNetworkOf = (address: string | undefined): T | undefined => {
    const network = address === undefined ? undefined : networkOf(address);
    return network === undefined ? undefined : fit.find((each) => networkOf(addressOf(each)) === network);
  };
  const source = loopback ? undefined : sourceFor?.(peer);
  const named =
    source === undefined ? undefined : fit.find((each) => normalizeHost(addressOf(each)) === normalizeHost(source));
  return named ?? inNetworkOf(source) ?? inNetworkOf(peer) ?? fit[0];
}

function networkOf(address: string): string | undefined {
  return parseIpv4(address)?.subarray(0, 3).join('.') ?? parseIpv6(address)?.subarray(0, 8).join(':');
}
