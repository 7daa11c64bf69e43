import { ipVersion, type SocketAddress } from '../base/ip.js';
import type { HopProtocol } from '../resolver/hop-target.js';

/** An open socket of the PBX. */
interface OpenSocket {
  readonly protocol: HopProtocol;
  readonly local: SocketAddress;
}

/**
 * The transports by which calls can leave, the preferred first: UDP and TLS where a socket of theirs is open, TCP in any
 * case, for connections are opened without a listener too.
 */
export function spokenProtocols(listening: readonly OpenSocket[]): readonly HopProtocol[] {
  const open = new Set(listening.map(({ protocol }) => protocol));
  return (['udp', 'tcp', 'tls'] as const).filter((protocol) => protocol === 'tcp' || open.has(protocol));
}

/** The address families of the open sockets, in the order in which they were listed in `listen`. */
export function reachedFamilies(listening: readonly OpenSocket[]): readonly (4 | 6)[] {
  const families = new Set<4 | 6>();
  for (const { local } of listening) families.add(ipVersion(local.address) === 6 ? 6 : 4);
  return [...families];
}
