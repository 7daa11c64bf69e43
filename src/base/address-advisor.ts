import type { SocketAddress } from './ip.js';

/** What an address is wanted for. */
export interface AddressQuestion {
  /** `signalling` for Via and Contact, `media` for SDP. */
  readonly purpose: 'signalling' | 'media';
  /**
   * By what the peer shall come to it: `udp` for media; for signalling what stands in the Via or Contact. A port that a NAT has given to
   * a UDP socket is nobody's by TCP.
   */
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** The socket that sends, or that is listened on. */
  readonly local: SocketAddress;
  /** The peer that shall reach it; `0.0.0.0` or `::`, port 0, when its address is not known: one outside. */
  readonly remote: SocketAddress;
}

/**
 * Says which address to tell to whom: the port behind which NAT knowledge (a static external address, STUN, local
 * networks) stands. Asked for every Via, Contact and SDP address that leaves.
 */
export interface AddressAdvisor {
  advertise(question: AddressQuestion): SocketAddress;
}

/** No NAT: every peer is told the very address that the socket has. */
export const localAddressAdvisor: AddressAdvisor = Object.freeze({
  advertise: (question: AddressQuestion) => question.local,
});
