import { PbxkitError } from '../base/errors.js';
import { formatAddress, type SocketAddress } from '../base/ip.js';
import type { TransportProtocol } from './hop.js';

/** A message could not be handed to the network, or the connection on which its answer was awaited is gone (RFC 3261 §18.4). */
export class TransportError extends PbxkitError {
  readonly protocol: TransportProtocol;
  readonly remote: SocketAddress;
  /**
   * True if a request for UDP was moved to TCP for its size and no TCP connection came about: the peer may know UDP
   * only, and the request may be tried once more with `hop.forceProtocol` (RFC 3261 §18.1.1).
   */
  readonly sizeSwitched: boolean;
  /** True if nothing of it was given to the network: no peer can have seen it. */
  readonly unsent: boolean;

  constructor(
    peer: { readonly protocol: TransportProtocol; readonly remote: SocketAddress },
    problem: string,
    options: { readonly cause?: unknown; readonly sizeSwitched?: boolean; readonly unsent?: boolean } = {},
  ) {
    const switched = options.sizeSwitched === true;
    const hint = switched ? ' (too large for UDP, so TCP was tried)' : '';
    super('SIP_TRANSPORT', 'transport', `${peer.protocol}://${formatAddress(peer.remote)}: ${problem}${hint}`, {
      cause: options.cause,
    });
    this.protocol = peer.protocol;
    this.remote = peer.remote;
    this.sizeSwitched = switched;
    this.unsent = options.unsent === true;
  }
}
