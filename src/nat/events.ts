import type { SocketAddress } from '../base/ip.js';
import type { MappingBehaviour } from './behaviour.js';

/** What NAT knowledge tells. */
export interface NatEvents {
  /** Peers outside are told another address for one of our sockets, or one at all: the first was found, or it has changed. */
  'nat.changed': {
    /** Our socket. */
    readonly local: SocketAddress;
    /** What they are told from now on. */
    readonly external: SocketAddress;
    /** What they were told before; absent: the address of the socket. */
    readonly previous?: SocketAddress;
    readonly mapping: MappingBehaviour;
  };
}
