import { type SocketAddress, sameAddress } from '../base/ip.js';

/**
 * How a NAT maps one socket (RFC 4787 §4.1, RFC 5780 §4.3). `none`: there is no NAT. `endpoint-independent`: one address and
 * port for all destinations, so that what a STUN server says is true for every peer. `address-dependent`,
 * `address-and-port-dependent`: another one for another destination ("symmetric"); `endpoint-dependent`: one of these two.
 * `unknown`: fewer than two servers at different addresses have answered.
 */
export type MappingBehaviour =
  | 'none'
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent'
  | 'endpoint-dependent'
  | 'unknown';

/** What one server said of a socket. */
export interface Observation {
  readonly server: SocketAddress;
  readonly mapped: SocketAddress;
}

/**
 * What the answers of several servers to one socket tell (RFC 5780 §4.3). Ordinary servers do: their addresses differ as that of
 * RFC 5780's two do. How the NAT filters cannot be seen so: that takes a server that answers from another address.
 */
export function mappingBehaviour(local: SocketAddress, seen: readonly Observation[]): MappingBehaviour {
  if (seen.length > 0 && seen.every(({ mapped }) => sameAddress(mapped, local))) return 'none';
  let portMatters: boolean | undefined;
  let addressMatters: boolean | undefined;
  for (const [i, a] of seen.entries()) {
    for (const b of seen.slice(i + 1)) {
      const differs = !sameAddress(a.mapped, b.mapped);
      if (a.server.address !== b.server.address) addressMatters = addressMatters === true || differs;
      else if (a.server.port !== b.server.port) portMatters = portMatters === true || differs;
    }
  }
  if (portMatters === true) return 'address-and-port-dependent';
  if (addressMatters === undefined) return 'unknown';
  if (!addressMatters) return 'endpoint-independent';
  return portMatters === undefined ? 'endpoint-dependent' : 'address-dependent';
}

/** Whether each peer sees the socket at another port, so that what a server saw is of no use to others. */
export function dependsOnEndpoint(behaviour: MappingBehaviour): boolean {
  switch (behaviour) {
    case 'address-dependent':
    case 'address-and-port-dependent':
    case 'endpoint-dependent':
      return true;
    case 'none':
    case 'endpoint-independent':
    case 'unknown':
      return false;
  }
}
