import { ipVersion, isWildcardAddress, normalizeHost, parseIpv4, parseIpv6 } from '../../base/ip.js';

/** The networks whose addresses mean something only inside them: a peer that is seen to come from elsewhere is behind NAT. */
type Scope = 'public' | 'loopback' | 'link' | '10/8' | '172.16/12' | '192.168/16' | '100.64/10' | 'fc00::/7';

/**
 * Where rtpengine shall expect and send the media of a party: it takes one address, where the party has named one and its
 * signalling was seen to come from another. The described one, unless it is of a private network that the party was not seen
 * in (RFC 7362 §4). Without an IP address in the description: the one that was seen, or nowhere.
 */
export function mediaAddress(described: string | undefined, seen: string | undefined): string {
  const named = described === undefined ? undefined : normalizeHost(described);
  const observed = seen === undefined || ipVersion(normalizeHost(seen)) === 0 ? undefined : normalizeHost(seen);
  if (named === undefined || ipVersion(named) === 0) return observed ?? '0.0.0.0';
  if (observed === undefined || isWildcardAddress(named)) return named;
  const scope = scopeOf(named);
  return scope === 'public' || scope === scopeOf(observed) ? named : observed;
}

function scopeOf(address: string): Scope {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return scopeOfV4(v4);
  const [first = 0, second = 0] = parseIpv6(address) ?? [];
  if (address === '::1') return 'loopback';
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link';
  return (first & 0xfe) === 0xfc ? 'fc00::/7' : 'public';
}

function scopeOfV4([first = 0, second = 0]: Uint8Array): Scope {
  if (first === 10) return '10/8';
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link';
  if (first === 172 && (second & 0xf0) === 16) return '172.16/12';
  if (first === 192 && second === 168) return '192.168/16';
  return first === 100 && (second & 0xc0) === 64 ? '100.64/10' : 'public';
}
