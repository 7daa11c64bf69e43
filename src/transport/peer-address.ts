import { ipVersion, normalizeHost, parseIpv4, parseIpv6, type SocketAddress } from '../base/ip.js';

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

/** 127/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') ? ipVersion(address) === 4 : normalizeHost(address) === '::1';
}

/**
 * Picks the socket to send from: the target's family is a must; a loopback target wants a loopback socket and any other
 * target none; then one in the same network as the target (the first 24 bits of IPv4 or 64 of IPv6 agree: our sockets
 * do not tell their masks); then the order of listening.
 */
export function pickLocal<T extends { readonly local: SocketAddress }>(
  candidates: readonly T[],
  target: string,
): T | undefined {
  const bytes = bytesOf(target);
  if (bytes === undefined) return undefined;
  const loopback = isLoopback(target);
  let best: T | undefined;
  let bestScore = -1;
  for (const candidate of candidates) {
    const own = bytesOf(candidate.local.address);
    if (own === undefined || own.length !== bytes.length) continue;
    const score = (isLoopback(candidate.local.address) === loopback ? 2 : 0) + (sameNetwork(own, bytes) ? 1 : 0);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

function bytesOf(address: string): Uint8Array | undefined {
  return parseIpv4(address) ?? parseIpv6(address);
}

function sameNetwork(a: Uint8Array, b: Uint8Array): boolean {
  const bytes = a.length === 4 ? 3 : 8;
  for (let i = 0; i < bytes; i++) if (a[i] !== b[i]) return false;
  return true;
}
