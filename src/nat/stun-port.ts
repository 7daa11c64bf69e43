import type { SocketAddress } from '../base/ip.js';

/**
 * A UDP socket that serves something else, SIP or RTP, and can ask a STUN server on the side: what the server sees is then
 * what peers of that very socket see.
 */
export interface StunPort {
  readonly local: SocketAddress;
  /** As `UdpSocket.send`: a failure goes to `onError`, after `send` has returned. */
  send(data: Uint8Array, to: SocketAddress, onError?: (error: Error) => void): void;
  /** `taker` is shown each STUN answer that comes to the socket, and says whether it was its own. Returns the undo. */
  onAnswer(taker: (data: Uint8Array, from: SocketAddress) => boolean): () => void;
}
